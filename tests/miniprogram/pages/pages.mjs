// Every page that reads, with what it shows when all is there.

import { CLOSED } from "./answers.mjs";

const RESULT_PAGE = { script: { "GET /attempts/{ref}": CLOSED } };

/** page, an endpoint that it cannot do without, what it shows in the end, its setting */
export const PAGES = [
  ["pages/home/index", "GET /campaign", ["八桂科普大行动", "科学素质网络竞赛", "活动a"]],
  ["pages/programme/index", "GET /programmes", ["活动a", "活动b"]],
  ["pages/mine/index", "GET /me", ["韦小妹"]],
  ["packages/programme/detail/index?slug=a", "GET /programmes/{slug}", ["活动a", "广西科学技术协会", "科普讲座"]],
  ["packages/programme/notice/index?scene=abcdefghjkmn", "GET /codes/{code}", ["科普讲座下周开讲", "南宁市", "第一段。"]],
  ["packages/quiz/round/index?id=k1", "GET /contests/{ref}", ["科学素质网络竞赛", "每人每天可以答 3 份题。"]],
  ["packages/quiz/rules/index?id=k1", "GET /contests/{ref}/rules", ["科学素质网络竞赛规则", "竞赛的时间。"]],
  ["packages/quiz/answer/index?id=att_1", "GET /attempts/{ref}", ["题目q1"]],
  ["packages/quiz/result/index?id=att_1", "GET /attempts/{ref}", ["题目q3", "道理在这里。", "题目q1"], RESULT_PAGE],
  ["packages/quiz/records/index?id=k1", "GET /me/attempts", ["科学素质网络竞赛", "2026年6月17日", "2026年6月16日", "1 分 23 秒"]],
  ["packages/quiz/board/index?id=k1", "GET /contests/{ref}/leaderboard", ["选手1", "选手2"]],
  ["packages/quiz/practice/index", "POST /practice", ["题目q7"]],
  ["packages/quiz/mistakes/index", "GET /me/mistakes", ["错过的题", "乙才对。"]],
  ["packages/quiz/share/index?id=att_1", "POST /shares", ({ t }) => [t.send, t.no_reward]],
  ["packages/lectures/list/index", "GET /activities", ["讲座a1", "讲座a2"]],
  ["packages/lectures/detail/index?id=a1", "GET /activities/{ref}", ["讲座a1", "覃教授 广西大学教授", "溶洞是怎样形成的。"]],
  ["packages/lectures/signup/index?id=a1", "GET /activities/{ref}", ({ t }) => ["讲座a1", t.send]],
  ["packages/lectures/ticket/index", "GET /me/tickets", ["讲座a1", "讲座a2"]],
  ["packages/mine/certificates/index", "GET /me/certificates", ({ t }) => ["参加了讲座a1。", t.take, t.show]],
  ["packages/checkin/feedback/index?id=a1", "GET /activities/{ref}/feedback", ({ t }) => ["讲座a1", t.send]],
  ["packages/mine/consent/index", "GET /campaign", ({ t }) => [t.heading, t.agree]],
  ["packages/mine/profile/index", "GET /me", ["南宁市", "青秀区", "南宁市科学技术协会"]],
  ["packages/mine/unit/index", "GET /units", ["南宁市科技馆"]],
  ["packages/mine/subscriptions/index", "GET /me/subscriptions", ["答题提醒", "讲座提醒"]],
  ["packages/mine/inbox/index", "GET /me/inbox", ["通知l1", "通知l2"]],
  ["packages/mine/message/index?id=l1", "GET /me/inbox/{ref}", ["通知l1", "请准时参加。"]],
];
