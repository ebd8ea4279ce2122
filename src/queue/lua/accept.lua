-- Stores queued runs, all of them or none.
-- KEYS[1]  prefix
-- ARGV     score for views:dirty, ms an event id is kept, ms a campaign is kept, length of recent,
--          campaign id ('' for none), campaign JSON, number of event ids, event ids…,
--          then for each run: id, machine, body
-- Returns  {'accepted', machines to wake…} | {'duplicate', run ids of then} | {'collision'}
local prefix = KEYS[1]
local score, seen_ms, campaign_ms, recent = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local campaign, campaign_body, events = ARGV[5], ARGV[6], tonumber(ARGV[7])
local first_run = 8 + events

local ids = {}
for i = first_run, #ARGV, 3 do
  if redis.call('EXISTS', prefix .. 'run:' .. ARGV[i]) == 1 then
    return { 'collision' }
  end
  ids[#ids + 1] = ARGV[i]
end

local id_list = table.concat(ids, ' ')
for i = 8, first_run - 1 do
  local key = prefix .. 'seen:' .. ARGV[i]
  if not redis.call('SET', key, id_list, 'NX', 'PX', seen_ms) then
    for j = 8, i - 1 do
      redis.call('DEL', prefix .. 'seen:' .. ARGV[j])
    end
    return { 'duplicate', redis.call('GET', key) }
  end
end

local idle = { 'accepted' }
for i = first_run, #ARGV, 3 do
  local id, machine = ARGV[i], ARGV[i + 1]
  -- A machine with something in its inbox is busy already; a busy one will be looked at without a new wake.
  if redis.call('RPUSH', prefix .. 'inbox:' .. machine, id) == 1
    and redis.call('SADD', prefix .. 'busy', machine) == 1 then
    idle[#idle + 1] = machine
  end
  -- Trimmed now and then, not each time: it may grow to twice its length.
  if redis.call('LPUSH', prefix .. 'recent', id) >= 2 * recent then
    redis.call('LTRIM', prefix .. 'recent', 0, recent - 1)
  end
  local dirty = show(prefix, id, machine, campaign, 'queued', '', '', false, score)
  redis.call('HSET', prefix .. 'run:' .. id, 'body', ARGV[i + 2], 'machine', machine,
    'campaign', campaign, 'state', 'queued', 'verdict', '', 'dirty', dirty)
end

if campaign ~= '' then
  redis.call('HSET', prefix .. 'campaign:' .. campaign, ':campaign', campaign_body)
  redis.call('PEXPIRE', prefix .. 'campaign:' .. campaign, campaign_ms)
end
return idle
