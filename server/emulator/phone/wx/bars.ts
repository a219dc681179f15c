// Changing the navigation bar and the tab bar.

import type { Family, Options } from "./api.ts";
import { text } from "./api.ts";

export const bars: Family = (phone, add) => {
  const change = (values: object): void => {
    Object.assign(phone.router.top.changed, values);
    phone.chrome.refresh();
  };
  const onTab = (): void => {
    if (!phone.router.isTab(phone.router.top.path)) throw new Error("not TabBar page");
  };
  const tab = (make: (options: Options) => Parameters<typeof phone.chrome.changeTab>[1]) => (options: Options): void => {
    onTab();
    phone.chrome.changeTab(Number(options["index"]), make(options));
  };
  add.later("setNavigationBarTitle", ({ title }) => change({ navigationBarTitleText: text(title) }));
  add.later("setNavigationBarColor", ({ frontColor, backgroundColor }) =>
    change({ navigationBarTextStyle: frontColor === "#000000" ? "black" : "white", navigationBarBackgroundColor: text(backgroundColor) }));
  add.later("setBackgroundColor", ({ backgroundColor }) => change({ backgroundColor: text(backgroundColor) }));
  add.later("showNavigationBarLoading", () => phone.chrome.loading(true));
  add.later("hideNavigationBarLoading", () => phone.chrome.loading(false));
  add.later("hideHomeButton", () => phone.chrome.hideHome());
  add.later("setTabBarItem", (options) => {
    phone.chrome.changeTab(Number(options["index"]), options["text"] === undefined ? {} : { text: text(options["text"]) });
  });
  add.later("setTabBarBadge", tab((options) => ({ badge: text(options["text"]).slice(0, 4) })));
  add.later("removeTabBarBadge", tab(() => ({ badge: null })));
  add.later("showTabBarRedDot", tab(() => ({ dot: true })));
  add.later("hideTabBarRedDot", tab(() => ({ dot: false })));
  add.later("showTabBar", () => (onTab(), phone.chrome.showTabs(true)));
  add.later("hideTabBar", () => (onTab(), phone.chrome.showTabs(false)));
};
