"""Lua scripts of the leaderboards; leaderboard.py explains them and builds the keys.

A standing is stored as `version:score:member`, a removed one as `version::`. The ready mark is
`build:number`; the number grows when the first hundred ranks change, so a caller with the same
mark need not read them again.
"""

from __future__ import annotations

from server.base.redis.client import Script

_PUT = """
local function version_of(kept)
  return tonumber(string.match(kept, '^(%d+):'))
end
local function member_of(kept)
  return string.match(kept, '^%d+:%-?%d*:(.*)$')
end
local function in_top(zset, member)
  local at = redis.call('ZREVRANK', zset, member)
  return at and at < 100
end
local function put(zset, hash, entry, standing)
  local kept, top = redis.call('HGET', hash, entry), false
  if kept then
    if version_of(kept) >= version_of(standing) then return false end
    local old = member_of(kept)
    if old ~= '' then
      top = in_top(zset, old)
      redis.call('ZREM', zset, old)
    end
  end
  local score, member = string.match(standing, '^%d+:(%-?%d*):(.*)$')
  if member ~= '' then
    redis.call('ZADD', zset, score, member)
    top = top or in_top(zset, member)
  end
  redis.call('HSET', hash, entry, standing)
  return top
end
"""

# KEYS: five per board (ready, building, zset, hash, pending). ARGV: three per change (index of the
# board from 0, entry, standing).
APPLY = Script(
    _PUT
    + """
local ready, building, moved = {}, {}, {}
for board = 0, #KEYS / 5 - 1 do
  ready[board] = redis.call('GET', KEYS[board * 5 + 1])
  building[board] = redis.call('EXISTS', KEYS[board * 5 + 2]) == 1
end
for at = 1, #ARGV, 3 do
  local board, entry, standing = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2]
  local base = board * 5
  if ready[board] and put(KEYS[base + 3], KEYS[base + 4], entry, standing) then
    moved[board] = true
  end
  if building[board] then
    local kept = redis.call('HGET', KEYS[base + 5], entry)
    if not kept or version_of(kept) < version_of(standing) then
      redis.call('HSET', KEYS[base + 5], entry, standing)
      redis.call('EXPIRE', KEYS[base + 5], 3600)
    end
  end
end
for board in pairs(moved) do
  local build, number = string.match(ready[board], '^(.*):(%d+)$')
  if number then
    redis.call('SET', KEYS[board * 5 + 1], build .. ':' .. (number + 1), 'KEEPTTL')
  else
    -- Marked by an earlier version of the house: built anew when it is read.
    redis.call('DEL', KEYS[board * 5 + 1])
  end
end
return 1
"""
)

# KEYS: building, pending, new zset, new hash, names.  ARGV: token, lease in ms, board.
BEGIN = Script("""
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
redis.call('SADD', KEYS[5], ARGV[3])
return 1
""")

# KEYS: building, new zset, new hash, pending. ARGV: token, lease in ms, expiry of leftovers in s,
# then two per row (entry, standing). New rows are added by three commands together; the others one
# by one, by version.
LOAD = Script(
    _PUT
    + """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local entries = {}
for at = 4, #ARGV, 2 do entries[#entries + 1] = ARGV[at] end
local kept = redis.call('HMGET', KEYS[3], unpack(entries))
local seen, ranked, stored, others = {}, {}, {}, {}
for row, entry in ipairs(entries) do
  local standing = ARGV[2 * row + 3]
  if not kept[row] and not seen[entry] then
    seen[entry] = true
    table.insert(stored, entry)
    table.insert(stored, standing)
    local score, member = string.match(standing, '^%d+:(%-?%d*):(.*)$')
    if member ~= '' then
      table.insert(ranked, score)
      table.insert(ranked, member)
    end
  else
    others[#others + 1] = row
  end
end
if #stored > 0 then redis.call('HSET', KEYS[3], unpack(stored)) end
if #ranked > 0 then redis.call('ZADD', KEYS[2], unpack(ranked)) end
for _, row in ipairs(others) do put(KEYS[2], KEYS[3], entries[row], ARGV[2 * row + 3]) end
for at = 2, 4 do redis.call('EXPIRE', KEYS[at], ARGV[3]) end
return 1
"""
)

# KEYS: ready, building, zset, hash, pending, new zset, new hash, names. ARGV: token, board, seconds
# until it expires or 0, additional seconds for the other keys.
FINISH = Script(
    _PUT
    + """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local pending = redis.call('HGETALL', KEYS[5])
for at = 1, #pending, 2 do
  put(KEYS[6], KEYS[7], pending[at], pending[at + 1])
end
redis.call('UNLINK', KEYS[3], KEYS[4])
for from = 6, 7 do
  if redis.call('EXISTS', KEYS[from]) == 1 then
    redis.call('RENAME', KEYS[from], KEYS[from - 3])
    redis.call('PERSIST', KEYS[from - 3])
  end
end
redis.call('SET', KEYS[1], ARGV[1] .. ':0')
local seconds = tonumber(ARGV[3])
if seconds > 0 then
  redis.call('EXPIRE', KEYS[1], seconds)
  redis.call('EXPIRE', KEYS[3], seconds + ARGV[4])
  redis.call('EXPIRE', KEYS[4], seconds + ARGV[4])
end
redis.call('UNLINK', KEYS[2], KEYS[5])
redis.call('SADD', KEYS[8], ARGV[2])
return 1
"""
)

# KEYS: building, pending, new zset, new hash.  ARGV: token.
ABANDON = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return 1
""")

# KEYS: ready, zset, hash. ARGV: entry, length of the top, neighbours on either side, mark under
# which the top is known.
# Returns: mark, size, top or nothing when it is known, index from 0 or -1, score, index from 0 of
# the first neighbour, neighbours.
VIEW = Script("""
local mark = redis.call('GET', KEYS[1])
if not mark then return false end
local limit, span = tonumber(ARGV[2]), tonumber(ARGV[3])
local top = {}
if mark == ARGV[4] then
  top = false
elseif limit > 0 then
  top = redis.call('ZREVRANGE', KEYS[2], 0, limit - 1, 'WITHSCORES')
end
local size = redis.call('ZCARD', KEYS[2])
local kept = redis.call('HGET', KEYS[3], ARGV[1])
local member = kept and string.match(kept, '^%d+:%-?%d*:(.*)$') or ''
local place = member ~= '' and redis.call('ZREVRANK', KEYS[2], member)
if not place then return {mark, size, top, -1, '', -1, {}} end
local first, around = math.max(0, place - span), {}
if span >= 0 then
  around = redis.call('ZREVRANGE', KEYS[2], first, place + span, 'WITHSCORES')
end
return {mark, size, top, place, redis.call('ZSCORE', KEYS[2], member), first, around}
""")

# KEYS: three per board (ready, zset, hash).  ARGV: score, entry that is not counted.
# Returns: for each board how many have more and how many have the same, -1 twice when not ready.
AHEAD = Script("""
local found, asked = {}, tonumber(ARGV[1])
for base = 1, #KEYS, 3 do
  local better, same = -1, -1
  if redis.call('EXISTS', KEYS[base]) == 1 then
    better = redis.call('ZCOUNT', KEYS[base + 1], '(' .. ARGV[1], '+inf')
    same = redis.call('ZCOUNT', KEYS[base + 1], ARGV[1], ARGV[1])
    local kept = redis.call('HGET', KEYS[base + 2], ARGV[2])
    local score = kept and tonumber(string.match(kept, '^%d+:(%-?%d+):'))
    if score and score > asked then better = better - 1 end
    if score and score == asked then same = same - 1 end
  end
  found[#found + 1] = better
  found[#found + 1] = same
end
return found
""")
