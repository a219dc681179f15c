// What the server says in the scenes: whole answers, as its document describes them.

export const NOW = Date.parse("2026-06-17T09:00:00+08:00");
const at = (time, day = "2026-06-17") => `${day}T${time}:00+08:00`;

export const LOGIN = {
  token: "token-1", expires_at: at("09:00", "2026-06-24"),
  citizen: { id: "c1", nickname: null, nickname_state: "none", avatar_url: null, is_new: true, elder_mode: false, consented: true, policy_version: "2026-1" },
};

export const PROFILE = {
  id: "c1", nickname: "韦小妹", nickname_state: "shown", pending_nickname: null, avatar_url: null, avatar_preview_url: null, avatar_state: "none", phone_masked: null,
  city: "450100", city_name: "南宁市", county: "450103", county_name: "青秀区", unit: "u1", unit_name: "南宁市科学技术协会", audience: "youth", sex: null, birth_band: null,
  schooling: null, residence: null, language: "zh", elder_mode: false, public_rank: false, topics: ["quiz"], muted_topics: [], announcements_off: false, quiet_from: null,
  quiet_to: null, under_14: false, consented: true, policy_version: "2026-1", created_at: at("08:00"),
};
export const STRANGER = { ...PROFILE, nickname: null, nickname_state: "none", city: null, city_name: null, county: null, county_name: null, unit: null, unit_name: null, audience: null, topics: [], under_14: null, consented: false };

export const CAMPAIGN = {
  slug: "bagui-2026", title: { zh: "八桂科普大行动", za: null }, theme: "科技改变生活", start: "2026-04-01", end: "2026-10-31", precision: "day",
  date_text: "4—10月", today: "2026-06-15", shift_weeks: 0, notice_year: 2026, notice_text: "4—10月 八桂科普大行动", phone: "0771-0000000",
  target: { metric: "公民具备科学素质的比例", percent: 15, year: 2030, scope: "全区", note: "目标的出处" },
  summary: { date_text: "11月", on: "2026-11-30", precision: "month", awards: [] },
  organisers: [{ id: "o1", name: "广西科学技术协会", role: "host" }], policy_version: "2026-1", policy_date: "2026-03-01",
  operator: { name: "广西科学技术协会", address: "南宁市古城路", phone: "0771-0000001", email: "bagui@example.org", complaints: "0771-0000002", privacy_contact: "privacy@example.org" },
  topics: [{ slug: "quiz", name: "网络竞赛" }, { slug: "lectures", name: "科普讲座" }, { slug: "caravan", name: "科普大篷车" }],
  subscribe_templates: [{ slug: "quiz", id: "tmpl-quiz", title: "答题提醒" }, { slug: "lecture", id: "tmpl-lecture", title: "讲座提醒" }],
};

export const programme = (slug, changes = {}) => ({
  slug, title: `活动${slug}`, kind: "theme", form: null, start: "2026-06-01", end: "2026-06-30", precision: "day", date_text: "6月", place: "南宁市",
  place_code: "450100", organisers: [{ id: "o1", name: "广西科学技术协会", role: "host" }], owner_assumed: false, open_list: false, who: [],
  what: ["科普讲座"], focus: [], audience: [], participants: [], participants_assumed: false, note: null, state: "now", today: "2026-06-15", notice_year: 2026, notice_text: `6月 活动${slug}`, ...changes,
});

export const RULES = {
  rules_version: "r1", papers_per_day: 3, papers_total: null, question_count: 3, points_per_question: 10, max_score: 30, timer: "paper",
  paper_seconds: 600, seconds_per_question: null, season: "best",
  warm_up_questions: null, divisions: [],
};
export const ME = {
  division: null, warm_up_left: 0, held: false, attempts_left_today: 2, attempts_left_total: null, best_score: 20, open_attempt_id: null, open_deadline: null, open_remaining_ms: null,
  total: 50, today_score: 20, rank: 7, behind_next: 5, behind_next_ms: null,
};
/** A citizen without a closed paper. */
export const NEW = { ...ME, best_score: null, total: null, today_score: null, rank: null, behind_next: null };
/** A citizen with a paper that is open for `left` milliseconds. */
export const WAITING = (left = 480_000) => ({ ...ME, open_attempt_id: "att_1", open_deadline: new Date(NOW + left).toISOString(), open_remaining_ms: left });
export const CONTEST = {
  id: "k1", slug: "science", title: "科学素质网络竞赛", programme: "contest", state: "open", paused: false, opens_at: at("00:00", "2026-06-15"),
  closes_at: at("00:00", "2026-06-22"), rules: RULES, me: ME,
};
export const RULES_PAGE = {
  contest_id: "k1", title: "科学素质网络竞赛规则", rules_version: "r1", valid_from: at("00:00", "2026-06-15"),
  sentences: [
    { name: "window", text: "竞赛的时间。" }, { name: "per_day", text: "每人每天可以答 3 份题。" }, { name: "no_reward", text: "分享不带来名次。" },
  ],
  document: "{}", signature: "s", public_key: "p",
};

const option = (key) => ({ key, text: `选项${key}` });
export const question = (id, kind = "single", more = {}) => ({ id, kind, stem: `题目${id}`, options: ["A", "B", "C"].map(option), ...more });

/** An open paper of three questions, `left` milliseconds before its end. */
export const paper = (left = 600_000, changes = {}) => ({
  id: "att_1", contest_id: "k1", state: "open", rules_version: "r1", timer: "paper", started_at: at("08:55"),
  deadline: new Date(NOW + left).toISOString(), remaining_ms: left, question_count: 3,
  questions: [question("q1"), question("q2", "multiple"), question("q3", "judge", { options: [{ key: "A", text: "正确" }, { key: "B", text: "错误" }] })],
  answers: {}, ...changes,
});

const REVIEW = [
  { question_id: "q1", chosen: ["A"], correct: ["A"], explanation: "因为如此。", voided: false },
  { question_id: "q2", chosen: ["A"], correct: ["A", "B"], explanation: "", voided: false },
  { question_id: "q3", chosen: [], correct: ["B"], explanation: "道理在这里。", voided: false },
];
const FIGURES = { closed_at: at("08:59"), score: 10, max_score: 30, correct_count: 1, duration_ms: 83_000, personal_best: 20, ranks: { kind: "at_close", region: 7, city: 3, city_name: "南宁市" }, review: REVIEW };
export const RESULT = { id: "att_1", contest_id: "k1", state: "submitted", question_count: 3, ...FIGURES };
export const CLOSED = paper(0, { state: "submitted", answers: { q1: ["A"], q2: ["A"] }, ...FIGURES });

/** A closed paper in the list of one's own. */
export const record = (id, changes = {}) => ({
  id, contest: "k1", contest_title: "科学素质网络竞赛", day: "2026-06-17", state: "submitted", closed_at: at("08:59"), score: 10, max_score: 30,
  correct_count: 1, question_count: 3, duration_ms: 83_900, held: false, appeal: null, ...changes,
});

export const line = (rank, changes = {}) => ({
  rank, nickname: `选手${rank}`, avatar_url: null, city: "450100", city_name: "南宁市", score: 30 - rank, duration_ms: 60_000 + rank, me: false, ...changes,
});
export const board = (changes = {}) => ({ period: "total", items: [line(1), line(2, { me: true })], me: { rank: 2, score: 28, duration_ms: 60_002, around: [line(1), line(2, { me: true })] }, total: 2, as_of: at("09:00"), frozen: false, state: "live", version: null, ...changes });
export const FAR = { rank: 88, score: 12.5, duration_ms: 95_000, around: [line(87), line(88, { me: true }), line(89)] };

export const MISTAKE = {
  question_id: "q9", kind: "single", topic: "health", stem: "错过的题", options: ["甲", "乙"], chosen: ["甲"], correct: ["乙"], explanation: "乙才对。",
  where: "paper", wrong_at: at("08:00"), right_in_a_row: 1,
};
export const SHARE = { id: "s1", path: "pages/home/index?scene=s1", title: "我得了 10 分", image_url: "/api/v1/shares/s1/image.png", card_url: "/api/v1/shares/s1/card.png" };
export const CITIES = [
  { code: "450100", name: "南宁市", short: "南宁", tile_row: 3, tile_col: 3, counties: [{ code: "450103", name: "青秀区", kind: "district" }] },
  { code: "450200", name: "柳州市", short: "柳州", tile_row: 2, tile_col: 3, counties: [{ code: "450202", name: "城中区", kind: "district" }] },
];
export const unit = (id, name) => ({ id, name, kind: "association", level: "city", city: "450100", county: null, assumed: false });
export const letter = (id, changes = {}) => ({ id, title: `通知${id}`, body: "请准时参加。", page: null, posted_at: at("08:30"), not_pushed_reason: null, withdrawn: false, read: true, ...changes });
/** One page of the inbox; `unread` counts those of these letters that were not opened. */
export const inbox = (...letters) => ({ items: letters, next: null, unread: letters.filter(({ read }) => !read).length });
/** The announcement of a channel's code. */
export const publication = (changes = {}) => ({
  target: "announcement", id: "ann1", title: "科普讲座下周开讲", text: "第一段。\n第二段。", facts: [], notice: "", publisher: "南宁市", published_at: at("08:30"), picture_url: null,
  page: "packages/quiz/round/index", ...changes,
});
export const items = (...all) => ({ items: all, next: null });

/** A lecture of two hours with free seats, three days after NOW. */
export const lecture = (id, changes = {}) => ({
  id, kind: "lecture", title: `讲座${id}`, state: "published", phase: "open", remark: null, programme: "bagui-forum-lectures", series: { id: "ser1", title: "八桂讲坛" },
  series_number: 3, speaker: "覃教授", speaker_post: "广西大学教授", speaker_bio: "研究喀斯特地貌三十年。", abstract: "溶洞是怎样形成的。", audiences: ["youth", "elder"],
  city: "450100", city_name: "南宁市", county: "450103", county_name: "青秀区", venue: "广西图书馆报告厅", address: "民族大道61号", latitude: 22.8167, longitude: 108.3669,
  starts_at: at("15:00", "2026-06-20"), ends_at: at("17:00", "2026-06-20"), signup_opens_at: at("09:00", "2026-06-10"), signup_closes_at: at("12:00", "2026-06-20"),
  seats: 300, seats_left: 12, waitlist_length: 0, waitlist_open: true, party_max: 1, offer_minutes: 30, phone_needed: false, questions: [], lottery: null, live_link: null,
  office_phone: "", notes: "", poster: null, no_show_rule: null, me: null, ...changes,
});
export const CODE = "K1AAAAAAABMNOPQRSTUVWXYZ23";
export const place = (status, changes = {}) => ({ status, party_size: 1, position: null, offer_expires_at: null, ticket: status === "confirmed" ? { code: CODE } : null, checked_in: false, ...changes });
export const ticket = (id, changes = {}) => ({
  activity: id, title: `讲座${id}`, venue: "广西图书馆报告厅", address: "民族大道61号", starts_at: at("15:00", "2026-06-20"), ends_at: at("17:00", "2026-06-20"), phase: "open",
  seat_kept_until: at("15:15", "2026-06-20"), place: place("confirmed"), ...changes,
});

export const SERIAL = "KP-7F3K-9QWE-0A2B-4C6D-X7";
const CERTIFIED = {
  kind: "quiz_score", source: "k1", heading: "成绩证书", title: "科学素质竞赛", sentence: "参加“科学素质竞赛”，总成绩50分，特发此证。", name: "韦小妹",
};
export const offer = (changes = {}) => ({ ...CERTIFIED, named: true, ...changes });
export const certificate = (changes = {}) => ({
  ...CERTIFIED, serial: SERIAL, details: [{ label: "总成绩", value: "50分" }], state: "valid", state_text: "有效", remark: "", issued_at: at("08:59"),
  image_url: `/api/v1/certificates/${SERIAL}.png`, pdf_url: `/api/v1/certificates/${SERIAL}.pdf`, verify_url: `https://kepu.example.org/verify/${SERIAL}`, ...changes,
});

/** The server of a usual day: one open contest, a citizen who has agreed. */
export const USUAL = {
  "POST /login": LOGIN,
  "GET /me": PROFILE,
  "PUT /me": ({ body }) => ({ ...PROFILE, ...body }),
  "GET /campaign": CAMPAIGN,
  "GET /programmes": items(programme("a"), programme("b", { start: "2026-09-01", end: "2026-09-02" })),
  "GET /programmes/{slug}": ({ path }) => programme(path.split("/").at(-1)),
  "GET /contests": items(CONTEST),
  "GET /contests/{ref}": CONTEST,
  "GET /contests/{ref}/rules": RULES_PAGE,
  "GET /contests/{ref}/leaderboard": board(),
  "POST /contests/{ref}/attempts": { status: 201, body: paper() },
  "GET /me/attempts": items(record("att_9"), record("att_8", { day: "2026-06-16", state: "expired", score: 20 })),
  "GET /attempts/{ref}": paper(),
  "PUT /attempts/{ref}/answers": null,
  "POST /attempts/{ref}/submission": RESULT,
  "POST /practice": { id: "p1", questions: [question("q7"), question("q8", "multiple")] },
  "GET /me/mistakes": items(MISTAKE),
  "POST /questions/{ref}/reports": null,
  "POST /shares": SHARE,
  "POST /visits": null,
  "POST /certificates": { status: 201, body: certificate() },
  "GET /me/certificates": { items: [certificate()], available: [offer({ kind: "attendance", source: "a1", title: "讲座a1", heading: "参与证书", sentence: "参加了讲座a1。" })] },
  "GET /certificates/{serial}.png": null,
  "GET /certificates/{serial}.pdf": null,
  "POST /me/unit-requests": { id: "unq1", name: "火星科协", place: "南宁市", state: "waiting", unit_name: null, sentence: null },
  "POST /groups": { group_id: "g1" },
  "GET /regions": items(...CITIES),
  "GET /me/unit-requests": { items: [] },
  "GET /units": items(unit("u1", "南宁市科学技术协会"), unit("u2", "南宁市科技馆")),
  "GET /me/inbox": inbox(letter("l1"), letter("l2", { not_pushed_reason: "没有订阅" })),
  "GET /me/inbox/{ref}": ({ path }) => letter(path.split("/").at(-1)),
  "POST /me/inbox/{ref}/read": null,
  "POST /me/inbox/read": null,
  "GET /me/subscriptions": { remaining: { "tmpl-quiz": 1 } },
  "POST /me/subscriptions": { remaining: { "tmpl-quiz": 2 } },
  "POST /me/consents": { policy_version: "2026-1", guardian: false, under_14: false, given_at: at("09:00") },
  "GET /me/export": { exported_at: at("09:00"), held: { nickname: "韦小妹", attempts: [] } },
  "DELETE /me": null,
  "GET /codes/{code}": publication(),
  "GET /activities": items(lecture("a1"), lecture("a2")),
  "GET /activities/{ref}": ({ path }) => lecture(path.split("/").at(-1)),
  "POST /activities/{ref}/signup": { status: 201, body: place("confirmed") },
  "DELETE /activities/{ref}/signup": null,
  "POST /activities/{ref}/signup/offer": place("confirmed"),
  "GET /activities/{ref}/feedback": { open: true, given: null },
  "POST /activities/{ref}/feedback": ({ body }) => ({ ...body, made_at: at("09:00") }),
  "GET /me/tickets": { absences: null, past: [], items: [ticket("a1"), ticket("a2")] },
};
