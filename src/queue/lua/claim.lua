-- Takes a machine's turn: raises its fence and makes the head of its inbox its current run, or goes on with
-- the current run that a worker left. A worker goes on with its turn only while no other one has begun its own:
-- one whose wake was given away must not take the machine back. A halted machine gets no new run, also not while a
-- halt that was lifted may have left its lock; one that it has is given out, to be ended.
-- KEYS[1]  prefix
-- ARGV     machine, turn that is gone on with: the fence of its first claim ('' to begin one),
--          version of the halts that the caller knows, whether the machine is halted by them ('' for no),
--          ids of halts that were lifted from it
-- Returns  {fence, body, cancellation or false, quarantine or false} | nil when there is nothing to do, or no right
--          to | 'halts-changed' when the caller must read the halts again
local prefix, machine, turn, halted = KEYS[1], ARGV[1], ARGV[2], ARGV[4] ~= ''
local machine_key = prefix .. 'machine:' .. machine

if (redis.call('GET', prefix .. 'halts:version') or '0') ~= ARGV[3] then
  return 'halts-changed'
end
for i = 5, #ARGV do
  local member = redis.call('HGET', prefix .. 'halt:' .. ARGV[i], machine)
  local outcome = member and cjson.decode(member).outcome
  halted = halted or outcome == 'pending' or outcome == 'inactive' or outcome == 'ending'
end
local held = redis.call('HMGET', machine_key, 'current', 'fence', 'quarantine', 'turn')
if turn ~= '' and turn ~= held[4] then
  return false
end
local id = held[1]
if not id then
  if halted then
    return false
  end
  id = redis.call('LPOP', prefix .. 'inbox:' .. machine)
end
if not id then
  redis.call('SREM', prefix .. 'busy', machine)
  return false
end

local fence = string.format('%.0f', (tonumber(held[2]) or 0) + 1)
redis.call('HSET', machine_key, 'current', id, 'fence', fence, 'turn', turn == '' and fence or turn)
redis.call('HSET', prefix .. 'run:' .. id, 'fence', fence)
local run = redis.call('HMGET', prefix .. 'run:' .. id, 'body', 'cancellation')
return { fence, run[1], run[2], held[3] }
