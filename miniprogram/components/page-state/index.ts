/** What stands where content is not: loading, empty, a fault or no network, with a way on. */
import { open } from '../../platform/wx'

Component({
  properties: {
    state: { type: String, value: 'loading' },
    /** The words of all pages. */
    words: { type: Object, value: {} },
    empty: { type: String, value: '' },
    /** Where an empty page leads on to; the page goes there on `onward`. */
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
