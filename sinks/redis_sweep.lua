#!lua flags=allow-oom
-- The end of a rebuild: once every partition has come to where it ended when the rebuild began, what the topics do not hold goes.
-- It may run where memory is full, because what it does is to free some.
--
-- KEYS[1]  the prefix of all keys
-- ARGV     how many customers are looked at in one call, and the time in epoch milliseconds
--
-- Returns 'idle' (no rebuild), 'reading' (partitions are not there yet), 'more' (call again), 'again' (what was kept was newer than
-- the topics: they must be read once more, now that it is gone) or 'done'.

local prefix = KEYS[1]
local rebuild, seen = prefix .. 'rebuild', prefix .. 'rebuild:seen'
local state = redis.call('HMGET', rebuild, 'generation', 'active')
if state[2] ~= '1' then return 'idle' end
local generation = tonumber(state[1])

local targets = redis.call('HGETALL', prefix .. 'rebuild:targets')
for i = 1, #targets, 2 do
  local position = redis.call('HGET', prefix .. 'positions', targets[i]) or '0'
  if tonumber(position) < tonumber(targets[i + 1]) then return 'reading' end
end

local function gone(what)
  if redis.call('SREM', seen, what) == 1 then redis.call('HSET', rebuild, 'again', '1') end
end

local function unlist(id, list)
  redis.call('SREM', prefix .. 'listed:' .. id, list)
end

local old = redis.call('ZRANGEBYSCORE', prefix .. 'customers', '-inf', '(' .. generation, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(old) do
  local key = prefix .. 'customer:' .. id
  local currency = redis.call('HGET', key, 'ranked_in')
  redis.call('ZREM', prefix .. 'at-risk', id)
  if currency and currency ~= '' then
    local ranking = prefix .. 'at-risk:revenue:' .. currency
    redis.call('ZREM', ranking, id)
    if redis.call('EXISTS', ranking) == 0 then redis.call('SREM', prefix .. 'at-risk:currencies', currency) end
  end
  redis.call('DEL', key)
  redis.call('ZREM', prefix .. 'customers', id)
  gone('customer:' .. id)
end
if #old > 0 then return 'more' end

local versions = redis.call('HGETALL', prefix .. 'versions')
for i = 1, #versions, 2 do
  if tonumber(string.match(versions[i + 1], '%d+$')) < generation then
    local key, field = string.match(versions[i], '^([^|]*)|(.*)$')
    if field == '' then redis.call('DEL', prefix .. key) else redis.call('HDEL', prefix .. key, field) end
    redis.call('HDEL', prefix .. 'versions', versions[i])
    gone(versions[i])
  end
end

-- Lists that are not in the topic any more, and entries of customers who are not there any more.
for _, owner in ipairs(redis.call('SMEMBERS', prefix .. 'owners')) do
  local lists = 0
  for _, kind in ipairs({'owner-list:', 'owner-digest:'}) do
    local name = kind .. owner
    local key = prefix .. name
    local of = redis.call('HGET', key, 'generation')
    local keep = of and tonumber(of) >= generation
    for _, field in ipairs(redis.call('HKEYS', key)) do
      if string.sub(field, 1, 6) == 'entry:' then
        local id = string.sub(field, 14)
        if not keep then
          unlist(id, key)
        elseif redis.call('EXISTS', prefix .. 'customer:' .. id) == 0 then
          unlist(id, key)
          redis.call('HDEL', key, field)
        end
      end
    end
    if keep then
      lists = lists + 1
    elseif of then
      redis.call('DEL', key)
      gone(name)
    end
  end
  if lists == 0 then redis.call('SREM', prefix .. 'owners', owner) end
end

redis.call('DEL', seen)
if redis.call('HDEL', rebuild, 'again') == 1 then return 'again' end
redis.call('DEL', prefix .. 'rebuild:targets')
redis.call('HSET', rebuild, 'active', '0', 'finished_at', ARGV[2])
return 'done'
