/** A countdown that runs while its page is visible; emits `over` at the end or some seconds after it. */
import { clockFace, urgency } from '../../logic/countdown'
import { wire } from '../../platform/wx'

const TICK_MS = 500
/**
 * This long after the end the server has closed the paper, its grace period included. Earlier it
 * could still report the paper as open.
 */
const CLOSED_AFTER_MS = 4_000

Component({
  properties: {
    /** The end on this phone's clock, in milliseconds since 1970. */
    endsAt: { type: Number, value: 0 },
    label: { type: String, value: '' },
    /** The time from the end to `over`, in ms. */
    afterMs: { type: Number, value: CLOSED_AFTER_MS },
  },
  data: { face: '', urgency: 'calm', ticking: 0 },
  observers: {
    endsAt() {
      this.start()
    },
  },
  lifetimes: {
    detached() {
      this.stop()
    },
  },
  pageLifetimes: {
    show() {
      this.start()
    },
    hide() {
      this.stop()
    },
  },
  methods: {
    start() {
      this.stop()
      if (!this.properties.endsAt) return
      this.data.ticking = setInterval(() => this.tick(), TICK_MS)
      this.tick()
    },
    stop() {
      clearInterval(this.data.ticking)
    },
    tick() {
      const ahead = this.properties.endsAt - wire.now()
      const left = Math.max(0, ahead)
      const face = clockFace(left)
      if (face !== this.data.face) this.setData({ face, urgency: urgency(left) })
      if (ahead > -this.properties.afterMs) return
      this.stop()
      this.triggerEvent('over')
    },
  },
})
