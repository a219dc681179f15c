/** The time left, as a clock; the page counts, this only shows. */
Component({
  properties: {
    face: { type: String, value: '' },
    urgency: { type: String, value: 'calm' },
    label: { type: String, value: '' },
  },
})
