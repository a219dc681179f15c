/** Displays the time left; the page does the counting. */
Component({
  properties: {
    face: { type: String, value: '' },
    urgency: { type: String, value: 'calm' },
    label: { type: String, value: '' },
  },
})
