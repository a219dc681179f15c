/** App entry: records how the program was opened, and applies updates. */
import { onPerson } from './api/index'
import { redress } from './kit/dress'
import { entered } from './kit/entry'
import { followPerson, settings } from './kit/settings'
import { applyUpdates, confirm } from './platform/wx'
import { words } from './texts/index'

App({
  onLaunch() {
    onPerson((person) => {
      if (followPerson(person)) redress()
    })
    const c = words(settings().language, 'common')
    applyUpdates(() =>
      confirm({ title: c.update_title, content: c.update_body, yes: c.update_yes, no: c.later }),
    )
  },

  onShow(options) {
    entered(options)
  },
})
