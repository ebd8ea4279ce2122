-- Ends a run that waits in its inbox; asks one to stop that a worker drives. The first cancellation counts.
-- KEYS[1]  prefix
-- ARGV     id, cancellation JSON, state in which the caller knows it ('' to leave one alone that no worker drives),
--          body and verdict as they are when ended in the inbox, note for its campaign, message for the workers,
--          score of progress, score of a verdict, ms a finished run is kept, number of finished runs kept,
--          number of ledger entries kept at most, ledger entry of the cancellation, those of the end in the inbox…
-- Returns  'cancelled' | 'requested' | 'left' | 'moved' when it is in another state
local prefix, id, cancellation, from = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local body, ended_as, note, kept_ms, keep = ARGV[4], ARGV[5], ARGV[6], ARGV[10], tonumber(ARGV[11])
local key = prefix .. 'run:' .. id

local was = redis.call('HMGET', key, 'state', 'verdict', 'machine', 'campaign', 'dirty')
local state, verdict, machine, campaign, dirty = was[1], was[2], was[3], was[4], was[5]
if from ~= '' and state ~= from then
  return 'moved'
end

if not state or redis.call('HGET', prefix .. 'machine:' .. machine, 'current') ~= id then
  if from == '' then
    return 'left'
  end
  redis.call('LREM', prefix .. 'inbox:' .. machine, 1, id)
  dirty = show(prefix, id, machine, campaign, 'done', ended_as, note, dirty, ARGV[9])
  redis.call('HSET', key, 'body', body, 'state', 'done', 'verdict', ended_as,
    'cancellation', cancellation, 'dirty', dirty)
  finish(prefix, id, machine, campaign, kept_ms, keep)
  for i = 13, #ARGV do
    ledger(prefix, ARGV[12], ARGV[i])
  end
  return 'cancelled'
end

if redis.call('HSETNX', key, 'cancellation', cancellation) == 1 then
  redis.call('HSET', key, 'dirty', show(prefix, id, machine, campaign, state, verdict, note, dirty, ARGV[8]))
  redis.call('PUBLISH', prefix .. 'cancelled', ARGV[7])
  ledger(prefix, ARGV[12], ARGV[13])
end
return 'requested'
