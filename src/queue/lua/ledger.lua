-- Appends one fact to the ledger. The number beside it shows a gap; the stream's own id is its position.
local function ledger(prefix, max_entries, entry)
  local seq = redis.call('INCR', prefix .. 'ledger:seq')
  redis.call('XADD', prefix .. 'ledger', 'MAXLEN', '~', max_entries, '*', 'seq', seq, 'entry', entry)
end
