// The timeline's single page: shows content, but has no person and opens no other page.
// Source: WeChat's guide 分享到朋友圈, 单页模式下的限制.

import type { Phone } from "./phone.ts";

const ELSEWHERE = "请前往小程序使用完整服务";
const TOAST_MS = 1500;

/** Functions of wx that fail there. */
export const REFUSED_ALONE: ReadonlySet<string> = new Set((
  "login checkSession getUserProfile getGroupEnterInfo " +
  "navigateTo redirectTo switchTab reLaunch navigateBack " +
  "setNavigationBarTitle setNavigationBarColor showNavigationBarLoading hideNavigationBarLoading hideHomeButton " +
  "setTabBarItem setTabBarBadge removeTabBarBadge showTabBarRedDot hideTabBarRedDot showTabBar hideTabBar " +
  "getShareInfo showShareMenu hideShareMenu updateShareMenu " +
  "setClipboardData getClipboardData scanCode saveImageToPhotosAlbum " +
  "requestSubscribeMessage authorize openSetting openOfficialAccountProfile"
).split(" "));

export const isAlone = (phone: Phone): boolean => phone.start.mode === "singlePage";

/** Shows a hint that the rest of the service is in the whole mini-program. */
export const pointElsewhere = (phone: Phone): void => phone.overlay.toast(ELSEWHERE, { icon: "none", ms: TOAST_MS, mask: false });
