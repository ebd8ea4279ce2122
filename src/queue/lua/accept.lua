-- Stores queued runs, all of them or none.
-- KEYS[1]  prefix
-- ARGV     score for views:dirty, number of event ids kept, ms a campaign is kept, length of recent,
--          number of ledger entries kept at most, ledger entry, campaign id ('' for none), campaign JSON,
--          its JSON before ('' for a new one), '1' where more of it is to be handed in ('' for no), score for
--          campaigns:open, person, their requests a minute ('' for no limit), number of event ids, event ids…,
--          then for each run: id, machine, body, the machine's requests a minute ('' for no limits), how many may wait
-- Returns  {'accepted', machines to wake…} | {'duplicate', run ids of then} | {'collision'}
--          | {'changed'} when the campaign is not as it was
--          | {'limited', 'person', ms to wait} | {'limited', 'waiting' or 'rate', machines…}
local prefix, minute_ms = KEYS[1], 60000
local score, seen_kept, campaign_ms, recent = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local campaign, campaign_body = ARGV[7], ARGV[8]
local campaign_key = prefix .. 'campaign:' .. campaign
local person, person_rate, events = 'person:' .. ARGV[12], tonumber(ARGV[13]), tonumber(ARGV[14])
local first_event = 15
local first_run, now = first_event + events, now_ms()

local ids = {}
for i = first_run, #ARGV, 5 do
  if redis.call('EXISTS', prefix .. 'run:' .. ARGV[i]) == 1 then
    return { 'collision' }
  end
  ids[#ids + 1] = ARGV[i]
end
for i = first_event, first_run - 1 do
  local before = seen(prefix, ARGV[i])
  if before then
    return { 'duplicate', before }
  end
end
if campaign ~= '' and (redis.call('HGET', campaign_key, ':campaign') or '') ~= ARGV[9] then
  return { 'changed' }
end

local function limited(kind, details)
  table.insert(details, 1, kind)
  table.insert(details, 1, 'limited')
  return details
end
local person_tokens
if person_rate then
  local person_wait
  person_tokens, person_wait = tokens_of(prefix, person, person_rate, person_rate / minute_ms, 0, now)
  if person_wait > 0 then
    return limited('person', { person_wait })
  end
end
local full, fast, tokens = {}, {}, {}
for i = first_run, #ARGV, 5 do
  local machine, rate = ARGV[i + 1], tonumber(ARGV[i + 3])
  if rate then
    local wait
    tokens[i], wait = tokens_of(prefix, 'machine:' .. machine, rate, rate / minute_ms, 0, now)
    if redis.call('LLEN', prefix .. 'inbox:' .. machine) >= tonumber(ARGV[i + 4]) then
      full[#full + 1] = machine
    elseif wait > 0 then
      fast[#fast + 1] = machine
    end
  end
end
if #full > 0 then
  return limited('waiting', full)
elseif #fast > 0 then
  return limited('rate', fast)
end

if person_rate then
  take_token(prefix, person, person_rate, person_rate / minute_ms, person_tokens, now)
end
-- A campaign of which every machine was left out is remembered by its own id.
local id_list = #ids > 0 and table.concat(ids, ' ') or campaign
for i = first_event, first_run - 1 do
  remember(prefix, ARGV[i], id_list, seen_kept)
end
ledger(prefix, ARGV[5], ARGV[6])

local idle = { 'accepted' }
for i = first_run, #ARGV, 5 do
  local id, machine, rate = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 3])
  if rate then
    take_token(prefix, 'machine:' .. machine, rate, rate / minute_ms, tokens[i], now)
  end
  -- A machine with something in its inbox is busy already; a busy one will be looked at without a new wake.
  if redis.call('RPUSH', prefix .. 'inbox:' .. machine, id) == 1
    and redis.call('SADD', prefix .. 'busy', machine) == 1 then
    idle[#idle + 1] = machine
  end
  -- Trimmed now and then, not each time: it may grow to twice its length.
  if redis.call('LPUSH', prefix .. 'recent', id) >= 2 * recent then
    redis.call('LTRIM', prefix .. 'recent', 0, recent - 1)
  end
  local dirty = show(prefix, id, machine, campaign, 'queued', '', ' ', false, score)
  redis.call('HSET', prefix .. 'run:' .. id, 'body', ARGV[i + 2], 'machine', machine,
    'campaign', campaign, 'state', 'queued', 'verdict', '', 'dirty', dirty)
end

if campaign ~= '' then
  redis.call('HSET', campaign_key, ':campaign', campaign_body)
  redis.call('PEXPIRE', campaign_key, campaign_ms)
  redis.call('ZADD', prefix .. 'views:dirty', 'LT', score, 'campaign:' .. campaign)
  keep_open(prefix, campaign, ARGV[10], ARGV[11])
end
return idle
