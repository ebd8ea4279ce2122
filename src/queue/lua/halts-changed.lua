-- Tells all processes that halts changed. The version is a time, not a count: where Redis loses its last second,
-- it never comes to the same value with other halts.
local function halts_changed(prefix)
  local version = table.concat(redis.call('TIME'), '.')
  redis.call('SET', prefix .. 'halts:version', version)
  redis.call('PUBLISH', prefix .. 'halts', version)
end
