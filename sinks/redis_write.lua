#!lua
-- Applies the changes of one batch and moves the position of its partition, all or nothing (see docs/read-model.md).
--
-- KEYS[1]  the prefix of all keys
-- ARGV     the partition, the position before the batch, the position behind it, and then the changes one after the other:
--          c ID AS_OF VERSION RISK CURRENCY MRR_CENTS COUNT FIELD VALUE ...   a customer; COUNT items follow
--          e ID AS_OF VERSION                                                 a customer is erased
--          r KEY FIELD VERSION VALUE                                          a report about the fleet
--          l KEY OWNER AS_OF VERSION HEAD COUNT ID ENTRY ...                  an owner's list; COUNT items follow
--
-- Returns {'moved', POSITION} when the position is another, else {'written', 1 when a rebuild has all it waits for of the partition}.

local prefix = KEYS[1]
local place, start, stop = ARGV[1], ARGV[2], ARGV[3]
local MARKER_KEPT_MS = 400 * 86400000 -- as long as the inputs: a rebuild cannot speak of older times

local position = redis.call('HGET', prefix .. 'positions', place) or '0'
if position ~= start then return {'moved', position} end

local rebuild = redis.call('HMGET', prefix .. 'rebuild', 'generation', 'active')
local generation, rebuilding = rebuild[1] or '0', rebuild[2] == '1'
local at_risk, customers, erased = prefix .. 'at-risk', prefix .. 'customers', prefix .. 'erased'
local has_erased = redis.call('EXISTS', erased) == 1

-- A version that is the same is written again: the first time may have ended half-way.
local function is_older(version, kept, what)
  if not kept or kept <= version then return false end
  if rebuilding then redis.call('SADD', prefix .. 'rebuild:seen', what) end
  return true
end

-- When a customer was erased for the last time; the marker outlives its return, for what speaks of the time before.
local function erased_at(id)
  return has_erased and tonumber(redis.call('ZSCORE', erased, redis.sha1hex(id)) or -1) or -1
end

local function rank(id, before, risk, currency, mrr_cents)
  if risk == '' then redis.call('ZREM', at_risk, id) else redis.call('ZADD', at_risk, risk, id) end
  if before and before ~= '' and before ~= currency then
    local ranking = at_risk .. ':revenue:' .. before
    redis.call('ZREM', ranking, id)
    if redis.call('EXISTS', ranking) == 0 then redis.call('SREM', at_risk .. ':currencies', before) end
  end
  if currency ~= '' then
    redis.call('ZADD', at_risk .. ':revenue:' .. currency, mrr_cents, id)
    redis.call('SADD', at_risk .. ':currencies', currency)
  end
end

local function put_customer(id, as_of, version, risk, currency, mrr_cents, first, last)
  local key = prefix .. 'customer:' .. id
  local kept = redis.call('HMGET', key, 'version', 'ranked_in')
  if is_older(version, kept[1], 'customer:' .. id) then return end
  if tonumber(as_of) < erased_at(id) then return end
  redis.call('HSET', key, 'version', version, 'ranked_in', currency, unpack(ARGV, first, last))
  redis.call('ZADD', customers, generation, id)
  rank(id, kept[2], risk, currency, mrr_cents)
end

local function erase(id, as_of, version)
  local key = prefix .. 'customer:' .. id
  local kept = redis.call('HMGET', key, 'version', 'ranked_in')
  if is_older(version, kept[1], 'customer:' .. id) then return end
  redis.call('ZADD', erased, 'GT', as_of, redis.sha1hex(id))
  redis.call('ZREMRANGEBYSCORE', erased, '-inf', tonumber(as_of) - MARKER_KEPT_MS)
  has_erased = true
  rank(id, kept[2], '', '', '')
  redis.call('DEL', key)
  redis.call('ZREM', customers, id)
  local listed = prefix .. 'listed:' .. id
  for _, list in ipairs(redis.call('SMEMBERS', listed)) do
    if tonumber(string.match(redis.call('HGET', list, 'version'), '^%d+')) <= tonumber(as_of) then
      for _, field in ipairs(redis.call('HKEYS', list)) do
        if string.sub(field, 1, 6) == 'entry:' and string.sub(field, 14) == id then redis.call('HDEL', list, field) end
      end
      redis.call('SREM', listed, list)
    end
  end
end

local function put_report(key, field, version, value)
  local name = key .. '|' .. field
  local kept = redis.call('HGET', prefix .. 'versions', name)
  if is_older(version, kept and string.match(kept, '^%S+'), name) then return end
  redis.call('HSET', prefix .. 'versions', name, version .. ' ' .. generation)
  if field == '' then redis.call('SET', prefix .. key, value) else redis.call('HSET', prefix .. key, field, value) end
end

local function put_list(name, owner, as_of, version, head, first, last)
  local key = prefix .. name
  if is_older(version, redis.call('HGET', key, 'version'), name) then return end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 6) == 'entry:' then redis.call('SREM', prefix .. 'listed:' .. string.sub(field, 14), key) end
  end
  redis.call('DEL', key)
  redis.call('HSET', key, 'version', version, 'generation', generation, 'list', head)
  redis.call('SADD', prefix .. 'owners', owner)
  for i = first, last, 2 do
    local id = ARGV[i]
    if tonumber(as_of) > erased_at(id) then
      redis.call('HSET', key, string.format('entry:%06d:', (i - first) / 2) .. id, ARGV[i + 1])
      redis.call('SADD', prefix .. 'listed:' .. id, key)
    end
  end
end

local i = 4
while i <= #ARGV do
  local kind = ARGV[i]
  if kind == 'c' then
    local first = i + 8
    local last = first + ARGV[i + 7] - 1
    put_customer(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6], first, last)
    i = last + 1
  elseif kind == 'e' then
    erase(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
    i = i + 4
  elseif kind == 'r' then
    put_report(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
    i = i + 5
  elseif kind == 'l' then
    local first = i + 7
    local last = first + ARGV[i + 6] - 1
    put_list(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], first, last)
    i = last + 1
  else
    return redis.error_reply('no such change: ' .. kind)
  end
end

redis.call('HSET', prefix .. 'positions', place, stop)
if not rebuilding then return {'written', 0} end
local target = redis.call('HGET', prefix .. 'rebuild:targets', place)
return {'written', (not target or tonumber(stop) >= tonumber(target)) and 1 or 0}
