-- Files a run under its machine's finished ones. The oldest beyond `keep` goes; where Slack does not show its end yet,
-- it goes when it does. The rest goes with time. Whoever ends its trace takes it out of those whose traces are open.
local function finish(prefix, id, machine, campaign, kept_ms, keep)
  redis.call('ZADD', prefix .. 'traces:open', now_ms(), id)
  redis.call('PEXPIRE', prefix .. 'run:' .. id, kept_ms)
  if campaign ~= '' then
    redis.call('PEXPIRE', prefix .. 'campaign:' .. campaign, kept_ms)
  end
  if redis.call('LPUSH', prefix .. 'finished:' .. machine, id) > keep then
    local oldest = redis.call('RPOP', prefix .. 'finished:' .. machine)
    local view = 'run:' .. oldest
    if redis.call('ZSCORE', prefix .. 'views:dirty', view) or redis.call('ZSCORE', prefix .. 'views:held', view) then
      redis.call('HSET', prefix .. view, 'evicted', 1)
    else
      redis.call('DEL', prefix .. view, prefix .. 'parts:' .. oldest)
    end
  end
end
