-- Stores a run as it is now, if it still is in the state it was in under this fence. A run that awaits people is theirs
-- and no worker's. One that was cancelled meanwhile asks nobody: it stays as it was, for its worker to end it.
-- KEYS[1]  prefix
-- ARGV     id, fence, from-state, state, verdict ('' for none), body, score of progress, score of a verdict,
--          ms a finished run is kept, number of finished runs kept, note for its campaign,
--          when a run that awaits people is to be looked at, when they were asked ('' for both in any other state),
--          its task where it found all well ('' where not), what its agent used (see spend.lua),
--          number of ledger entries kept at most, ledger entries…
-- Returns  {'saved', cancellation or false} | {'cancelled', cancellation, body as it was}
--          | {'stale', fence or false, state or false}
local prefix, id, fence, from, state, verdict = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local kept_ms, keep = ARGV[9], tonumber(ARGV[10])
local key = prefix .. 'run:' .. id

local was = redis.call('HMGET', key, 'fence', 'state', 'verdict', 'cancellation', 'machine', 'campaign', 'dirty')
if was[1] ~= fence or was[2] ~= from or from == 'awaiting' then
  -- Sent again after a lost answer: it is stored already, under this same fence.
  if was[1] == fence and was[2] == state and redis.call('HGET', key, 'body') == ARGV[6] then
    return { 'saved', was[4] }
  end
  return { 'stale', was[1], was[2] }
end
if state == 'awaiting' and was[4] then
  return { 'cancelled', was[4], redis.call('HGET', key, 'body') }
end

local machine, campaign = was[5], was[6]
local judged = state == 'done' or verdict ~= was[3]
local dirty = show(prefix, id, machine, campaign, state, verdict, ARGV[11], was[7], judged and ARGV[8] or ARGV[7])
redis.call('HSET', key, 'body', ARGV[6], 'state', state, 'verdict', verdict, 'dirty', dirty)
spend(prefix, ARGV[15])
for i = 17, #ARGV do
  ledger(prefix, ARGV[16], ARGV[i])
end
if state == 'done' or state == 'awaiting' then
  redis.call('HDEL', prefix .. 'machine:' .. machine, 'current')
end
if ARGV[14] ~= '' then
  redis.call('HDEL', prefix .. 'handed-over:' .. machine, ARGV[14])
end
if state == 'done' then
  finish(prefix, id, machine, campaign, kept_ms, keep)
elseif state == 'awaiting' then
  await_people(prefix, id, machine, ARGV[12], ARGV[13])
end
return { 'saved', was[4] }
