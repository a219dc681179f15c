/** The custom tab bar, because WeChat's own follows neither language nor type size. */
import { dressed } from '../kit/dress'
import { openTab } from '../platform/wx'

/** The tabs in the order of app.json; its texts are shown only until this bar is ready. */
function tabsOf({ c }: ReturnType<typeof dressed<'common'>>) {
  return [
    { route: 'pages/home/index', label: c.tab_home, icon: 'home' },
    { route: 'pages/programme/index', label: c.tab_programme, icon: 'programme' },
    { route: 'pages/mine/index', label: c.tab_mine, icon: 'mine' },
  ]
}

function drawn(route: string) {
  const now = dressed('common')
  return { look: now.look, dress: now.dress, route, tabs: tabsOf(now) }
}

Component({
  data: drawn(''),
  methods: {
    /** Draws the bar for the page it belongs to. */
    dress(route: string) {
      const now = drawn(route)
      if (now.dress !== this.data.dress || route !== this.data.route) this.setData(now)
    },
    go(event: WechatMiniprogram.TouchEvent) {
      openTab(`/${event.currentTarget.dataset.route as string}`)
    },
  },
})
