/** Placeholder for missing content: loading, empty, error or offline, with an action. */
import { open } from '../../platform/wx'

Component({
  properties: {
    state: { type: String, value: 'loading' },
    /** The texts of section `common`. */
    words: { type: Object, value: {} },
    empty: { type: String, value: '' },
    /** The label of an empty page's button; the page handles `onward`. */
    way: { type: String, value: '' },
    problem: { type: String, value: '' },
  },
  methods: {
    retry() {
      this.triggerEvent('retry')
    },
    onward() {
      this.triggerEvent('onward')
    },
    consent() {
      open('/packages/mine/consent/index')
    },
  },
})
