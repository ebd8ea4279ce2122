-- Has open incidents look at these targets, where they still fire, as if they began to now, whoever looked a short
-- while ago.
-- targets: "MACHINE CHECK" -> true
local function look_again(prefix, targets, now)
  for _, open in ipairs({ 'incidents:open', 'incidents:storms' }) do
    for _, id in ipairs(redis.call('HVALS', prefix .. open)) do
      local key, again = prefix .. 'incident:' .. id, false
      local known = redis.call('HGETALL', key .. ':targets')
      for i = 1, #known, 2 do
        if targets[known[i]] then
          redis.call('HSET', key .. ':targets', known[i], string.match(known[i + 1], '^%d+ ') .. now)
          redis.call('DEL', prefix .. 'cooldown:' .. string.gsub(known[i], ' ', ':'))
          again = true
        end
      end
      if again then
        -- Whoever plans it at this moment reads it again, so that it stays due.
        redis.call('HINCRBY', key, 'version', 1)
        redis.call('ZADD', prefix .. 'incidents:due', now, id)
      end
    end
  end
end
