-- Adds what was used on one account to the sums of a day and of a month, which are kept for so long after the last account
-- that was new.
-- spent  JSON: times (the day and the month), account, used (numbers), keptMs; '' for nothing
local function spend(prefix, spent)
  if spent == '' then
    return
  end
  local of = cjson.decode(spent)
  for _, time in ipairs(of.times) do
    local key, sums = prefix .. 'spending:' .. time, {}
    local before = redis.call('HGET', key, of.account)
    for sum in string.gmatch(before or '', '%d+') do
      sums[#sums + 1] = tonumber(sum)
    end
    for i, used in ipairs(of.used) do
      -- Beyond it numbers are no longer exact, neither here nor for readers.
      sums[i] = string.format('%.0f', math.min((sums[i] or 0) + used, 9007199254740991))
    end
    redis.call('HSET', key, of.account, table.concat(sums, ' '))
    if not before then
      redis.call('PEXPIRE', key, string.format('%.0f', of.keptMs))
    end
  end
end
