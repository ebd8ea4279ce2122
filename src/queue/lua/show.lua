-- Makes a run's view dirty: its campaign's where it belongs to one, else its own. `dirty` is the score under
-- which its own view is dirty already (false or '' when it is not), so that most calls cost nothing.
-- `note` is what else the campaign keeps of it: its inertness, and the key of what came of it; nil where nothing of this
-- changed.
-- Returns the score to keep as the run's `dirty`.
local function show(prefix, id, machine, campaign, state, verdict, note, dirty, score)
  if campaign ~= '' then
    if note then
      redis.call('HSET', prefix .. 'campaign:' .. campaign, machine, id .. ' ' .. state .. ' ' .. verdict .. ' ' .. note)
    end
    redis.call('ZADD', prefix .. 'views:dirty', 'LT', score, 'campaign:' .. campaign)
    return ''
  end
  if dirty and dirty ~= '' and tonumber(dirty) <= tonumber(score) then
    return dirty
  end
  redis.call('ZADD', prefix .. 'views:dirty', 'LT', score, 'run:' .. id)
  return score
end
