-- Claims for a run to have machines checked because of its troubles, or gives those claims back. A machine may be
-- claimed for one trouble by one run at a time; the run's own machine counts as asked, too, so that two which find the
-- same at once do not ask each other.
-- KEYS[1]  prefix
-- ARGV     run, ms a claim holds (0 gives it back), machine of the run, check, number of troubles, troubles…, machines…
-- Returns  the machines that this run has claimed, now or before
local prefix, run, ms, own, check = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local first_machine = 6 + tonumber(ARGV[5])

local function claim(machine)
  local claimed = false
  for i = 6, first_machine - 1 do
    local key = prefix .. 'peer:' .. machine .. ':' .. check .. ':' .. ARGV[i]
    local holder = redis.call('GET', key)
    if ms > 0 and not holder then
      redis.call('SET', key, run, 'PX', ms)
      holder = run
    end
    if holder == run then
      claimed = true
      if ms == 0 then
        redis.call('DEL', key)
      end
    end
  end
  return claimed
end

local claimed = {}
for i = first_machine, #ARGV do
  if claim(ARGV[i]) then
    claimed[#claimed + 1] = ARGV[i]
  end
end
if ms > 0 then
  claim(own)
end
return claimed
