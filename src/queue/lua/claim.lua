-- Takes a machine's turn: raises its fence and makes the head of its inbox its current run, or goes on with
-- the current run that a worker left.
-- KEYS[1]  prefix
-- ARGV     machine
-- Returns  {fence, body, cancellation or false, quarantine or false} | nil when there is nothing to do
local prefix, machine = KEYS[1], ARGV[1]
local machine_key = prefix .. 'machine:' .. machine

local held = redis.call('HMGET', machine_key, 'current', 'fence', 'quarantine')
local id = held[1] or redis.call('LPOP', prefix .. 'inbox:' .. machine)
if not id then
  redis.call('SREM', prefix .. 'busy', machine)
  return false
end

local fence = string.format('%.0f', (tonumber(held[2]) or 0) + 1)
redis.call('HSET', machine_key, 'current', id, 'fence', fence)
redis.call('HSET', prefix .. 'run:' .. id, 'fence', fence)
local run = redis.call('HMGET', prefix .. 'run:' .. id, 'body', 'cancellation')
return { fence, run[1], run[2], held[3] }
