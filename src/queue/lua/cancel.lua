-- Ends a run that still waits in its inbox; asks any other to stop. The first cancellation counts.
-- KEYS[1]  prefix
-- ARGV     id, cancellation JSON, body as it is when ended in the inbox, message for the workers,
--          score of progress, score of a verdict, ms a finished run is kept, number of finished runs kept,
--          number of ledger entries kept at most, ledger entry of the cancellation, that of the end in the inbox
-- Returns  'cancelled' | 'requested' | 'already-done' | 'unknown-run'
local prefix, id, cancellation = KEYS[1], ARGV[1], ARGV[2]
local kept_ms, keep = ARGV[7], tonumber(ARGV[8])
local key = prefix .. 'run:' .. id

local was = redis.call('HMGET', key, 'state', 'verdict', 'machine', 'campaign', 'dirty')
local state, verdict, machine, campaign, dirty = was[1], was[2], was[3], was[4], was[5]
if not state then
  return 'unknown-run'
end
if state == 'done' then
  return 'already-done'
end

if state == 'queued' and redis.call('LREM', prefix .. 'inbox:' .. machine, 1, id) == 1 then
  dirty = show(prefix, id, machine, campaign, 'done', 'cancelled', '', dirty, ARGV[6])
  redis.call('HSET', key, 'body', ARGV[3], 'state', 'done', 'verdict', 'cancelled',
    'cancellation', cancellation, 'dirty', dirty)
  finish(prefix, id, machine, campaign, kept_ms, keep)
  ledger(prefix, ARGV[9], ARGV[10])
  ledger(prefix, ARGV[9], ARGV[11])
  return 'cancelled'
end

if redis.call('HSETNX', key, 'cancellation', cancellation) == 1 then
  redis.call('HSET', key, 'dirty', show(prefix, id, machine, campaign, state, verdict, '', dirty, ARGV[5]))
  redis.call('PUBLISH', prefix .. 'cancelled', ARGV[4])
  ledger(prefix, ARGV[9], ARGV[10])
end
return 'requested'
