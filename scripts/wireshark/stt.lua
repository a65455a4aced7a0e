-- Wireshark dissector of STT/1 (SPEC.md, sections 1 to 3 and 6): frame headers, and the values in HANDSHAKE frames.
-- Nothing is decrypted. Frames are found by their magic 53 54, in UDP datagrams, TCP streams and WebSocket messages.
--
--   tshark -X lua_script:stt.lua -r session.pcap -Y stt1
--
-- For Wireshark itself, copy the file into the folder "Personal Lua Plugins" of Help, About, Folders.

-- The name "stt" belongs to another protocol in Wireshark (Stateless Transport Tunneling).
local stt = Proto("stt1", "STT/1")

local TYPES = {
  [1] = "DATA",
  [2] = "CONTROL",
  [3] = "STREAM",
  [4] = "AUTH",
  [5] = "HANDSHAKE",
}
local HANDSHAKE = 5
local TAG_BYTES = 16
local MIN_BODY = 31
local MAX_BODY = 2097152
local MAX_DEPTH = 64
local MAX_ENTRIES = 4096

local f = {
  length = ProtoField.uint32("stt1.length", "Body length"),
  type = ProtoField.uint8("stt1.type", "Type", base.HEX, TYPES),
  flags = ProtoField.uint8("stt1.flags", "Flags", base.HEX),
  fragment = ProtoField.bool("stt1.flags.fragment", "Fragment", 8, nil, 0x01),
  init = ProtoField.bool("stt1.flags.init", "Stream init", 8, nil, 0x02),
  fin = ProtoField.bool("stt1.flags.end", "Stream end", 8, nil, 0x04),
  segment = ProtoField.bool("stt1.flags.segment", "Segment", 8, nil, 0x08),
  high = ProtoField.bool("stt1.flags.high", "High priority", 8, nil, 0x10),
  low = ProtoField.bool("stt1.flags.low", "Low priority", 8, nil, 0x20),
  session = ProtoField.bytes("stt1.session", "Session id"),
  sequence = ProtoField.uint64("stt1.sequence", "Sequence"),
  timestamp = ProtoField.uint64("stt1.timestamp", "Timestamp (ms)"),
  stream = ProtoField.uint32("stt1.stream", "Stream id"),
  epoch = ProtoField.uint64("stt1.epoch", "Key epoch"),
  metadata = ProtoField.bytes("stt1.metadata", "Metadata"),
  ciphertext = ProtoField.bytes("stt1.ciphertext", "Ciphertext"),
  tag = ProtoField.bytes("stt1.tag", "Tag"),
  message = ProtoField.string("stt1.handshake.message", "Message"),
  value = ProtoField.none("stt1.value", "Value"),
}
stt.fields = f

local e = {
  malformed = ProtoExpert.new(
    "stt1.malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR),
  header = ProtoExpert.new(
    "stt1.header_not_zero", "A HANDSHAKE frame has zeros in its header", expert.group.PROTOCOL,
    expert.severity.WARN),
}
stt.experts = e

-- SPEC 1: value and number of bytes; nil when it is not whole, or not minimal. At most `limit` bytes.
local function varint(tvb, offset, limit)
  local value, factor = 0, 1
  for size = 1, limit do
    if offset + size > tvb:len() then return nil, "cut" end
    local byte = tvb(offset + size - 1, 1):uint()
    value = value + (byte % 128) * factor
    factor = factor * 128
    if byte < 128 then
      if byte == 0 and size > 1 then return nil, "not minimal" end
      return value, size
    end
  end
  return nil, "too long"
end

-- Magic and body length: bytes before the body and bytes of it; nil and "cut" when more bytes may help.
local function prefix(tvb, offset)
  local left = tvb:len() - offset
  if left >= 1 and tvb(offset, 1):uint() ~= 0x53 then return nil, "no magic" end
  if left >= 2 and tvb(offset + 1, 1):uint() ~= 0x54 then return nil, "no magic" end
  if left < 3 then return nil, "cut" end
  local body, size = varint(tvb, offset + 2, 4)
  if body == nil then return nil, size end
  if body < MIN_BODY or body > MAX_BODY then return nil, "body length out of range" end
  return 2 + size, body
end

-- SPEC 2: one value below `tree`. Returns the offset behind it and its text, or nil.
local function value(tvb, offset, tree, name, depth)
  local function fail(text)
    tree:add_proto_expert_info(e.malformed, name .. ": " .. text)
    return nil
  end
  local left = tvb:len() - offset
  if left < 1 then return fail("cut") end
  local tag = tvb(offset, 1):uint()
  local function scalar(size, text)
    if left < 1 + size then return fail("cut") end
    local shown = text(tvb(offset + 1, size))
    tree:add(f.value, tvb(offset, 1 + size)):set_text(name .. ": " .. shown)
    return offset + 1 + size, shown
  end
  if tag == 0x00 then return scalar(0, function() return "null" end) end
  if tag == 0x01 then return scalar(0, function() return "false" end) end
  if tag == 0x02 then return scalar(0, function() return "true" end) end
  if tag >= 0x10 and tag <= 0x13 then
    return scalar(2 ^ (tag - 0x10), function(range) return tostring(range:int64()) end)
  end
  if tag >= 0x14 and tag <= 0x17 then
    return scalar(2 ^ (tag - 0x14), function(range) return tostring(range:uint64()) end)
  end
  if tag == 0x20 or tag == 0x21 then
    return scalar(tag == 0x20 and 4 or 8, function(range) return tostring(range:float()) end)
  end
  if tag ~= 0x30 and tag ~= 0x31 and tag ~= 0x40 and tag ~= 0x41 then
    return fail(string.format("unknown tag %02x", tag))
  end
  if left < 5 then return fail("cut") end
  local count = tvb(offset + 1, 4):uint()
  if count > left - 5 then return fail("longer than what is left") end
  if tag == 0x30 or tag == 0x31 then
    local shown = ""
    if count > 0 then
      local range = tvb(offset + 5, count)
      shown = tag == 0x30 and tostring(range:bytes()):lower() or range:string(ENC_UTF_8)
    end
    local text = tag == 0x30 and string.format("%s (%d bytes)", shown, count) or shown
    tree:add(f.value, tvb(offset, 5 + count)):set_text(name .. ": " .. text)
    return offset + 5 + count, shown
  end
  if depth >= MAX_DEPTH or count > MAX_ENTRIES then return fail("too deep or too many entries") end
  local branch = tree:add(f.value, tvb(offset, left))
  branch:set_text(string.format("%s: %d entries", name, count))
  local at = offset + 5
  for index = 1, count do
    local key = string.format("[%d]", index - 1)
    if tag == 0x41 then
      local room = tvb:len() - at
      local size = room >= 5 and tvb(at, 1):uint() == 0x31 and tvb(at + 1, 4):uint() or room
      if size > room - 5 then return fail("a key is cut") end
      key = size == 0 and "" or tvb(at + 5, size):string(ENC_UTF_8)
      at = at + 5 + size
    end
    at = value(tvb, at, branch, key, depth + 1)
    if at == nil then return nil end
  end
  branch:set_len(at - offset)
  return at, ""
end

-- The name of a handshake message, from its value: a dict whose key "type" says it.
local function message_name(tvb)
  local marker = ByteArray.new("310000000474797065 31"):raw()
  local at = tvb:raw():find(marker, 1, true)
  if at == nil then return nil end
  local start = at - 1 + #marker
  if tvb:len() < start + 4 then return nil end
  local size = tvb(start, 4):uint()
  if size == 0 or size > 16 or tvb:len() < start + 4 + size then return nil end
  return tvb(start + 4, size)
end

local function handshake(body, payload, tree)
  for at = 1, 29 do
    if body(at, 1):uint() ~= 0 then
      tree:add_proto_expert_info(e.header)
      break
    end
  end
  if payload == nil then
    tree:add_proto_expert_info(e.malformed, "no message")
    return ""
  end
  local inner = payload:tvb()
  local name = message_name(inner)
  if name ~= nil then tree:add(f.message, name) end
  local behind = value(inner, 0, tree, "value", 1)
  if behind ~= nil and behind < inner:len() then
    tree:add_proto_expert_info(e.malformed, "bytes behind the value")
  end
  return name ~= nil and (" " .. name:string()) or ""
end

local function protected(body, metadata, payload, tree)
  local info = string.format(" seq=%s", tostring(body(10, 8):uint64()))
  local epoch, size = nil, 0
  if metadata ~= nil then
    tree:add(f.metadata, metadata)
    epoch, size = varint(metadata:tvb(), 0, 8)
    if epoch ~= nil and size == metadata:len() then
      tree:add(f.epoch, metadata, UInt64(epoch % 2 ^ 32, math.floor(epoch / 2 ^ 32)))
      info = info .. string.format(" epoch=%d", epoch)
    else
      tree:add_proto_expert_info(e.malformed, "the metadata is no epoch")
    end
  end
  local length = payload == nil and 0 or payload:len()
  if length < TAG_BYTES then
    tree:add_proto_expert_info(e.malformed, "too short to be encrypted")
    return info
  end
  if length > TAG_BYTES then tree:add(f.ciphertext, payload(0, length - TAG_BYTES)) end
  tree:add(f.tag, payload(length - TAG_BYTES, TAG_BYTES))
  return info .. string.format(" len=%d", length - TAG_BYTES)
end

local function frame(tvb, head, root)
  local body = tvb(head):tvb()
  local kind = body(0, 1):uint()
  local name = TYPES[kind] or (kind >= 0x80 and string.format("custom %02x", kind) or "unknown")
  local tree = root:add(stt, tvb(), "STT/1 " .. name)
  tree:add(f.length, tvb(2, head - 2), body:len())
  tree:add(f.type, body(0, 1))
  local flags = tree:add(f.flags, body(1, 1))
  if kind < 0x80 then
    for _, flag in ipairs({ f.fragment, f.init, f.fin, f.segment, f.high, f.low }) do
      flags:add(flag, body(1, 1))
    end
  end
  tree:add(f.session, body(2, 8))
  tree:add(f.sequence, body(10, 8))
  tree:add(f.timestamp, body(18, 8))
  tree:add(f.stream, body(26, 4))
  local count, size = varint(body, 30, 4)
  if count == nil or 30 + size + count > body:len() then
    tree:add_proto_expert_info(e.malformed, "the metadata passes the end of the body")
    return name
  end
  local start = 30 + size
  local metadata = count > 0 and body(start, count) or nil
  local payload = start + count < body:len() and body(start + count) or nil
  if kind == HANDSHAKE then return name .. handshake(body, payload, tree) end
  return name .. protected(body, metadata, payload, tree)
end

function stt.dissector(tvb, pinfo, root)
  local offset = 0
  local infos = {}
  while offset < tvb:len() do
    local head, body = prefix(tvb, offset)
    local missing = head ~= nil and offset + head + body - tvb:len() or nil
    if (head == nil and body == "cut") or (missing ~= nil and missing > 0) then
      if pinfo.can_desegment > 0 then
        pinfo.desegment_offset = offset
        pinfo.desegment_len = missing or DESEGMENT_ONE_MORE_SEGMENT
        break
      end
      body = "the frame is cut"
      head = nil
    end
    if head == nil then
      local tree = root:add(stt, tvb(offset), "STT/1")
      tree:add_proto_expert_info(e.malformed, body)
      infos[#infos + 1] = "malformed"
      break
    end
    infos[#infos + 1] = frame(tvb(offset, head + body):tvb(), head, root)
    offset = offset + head + body
  end
  pinfo.cols.protocol = "STT"
  if #infos > 0 then pinfo.cols.info = table.concat(infos, ", ") end
  return tvb:len()
end

-- Magic, a possible length, a type that exists, and metadata that fits: one random packet in 10^7 has all that.
local function heuristic(tvb, pinfo, root)
  local head, body = prefix(tvb, 0)
  if head == nil or tvb:len() < head + MIN_BODY then return false end
  local kind = tvb(head, 1):uint()
  if TYPES[kind] == nil and kind < 0x80 then return false end
  local count, size = varint(tvb, head + 30, 4)
  if count == nil or 30 + size + count > body then return false end
  pinfo.conversation = stt
  stt.dissector(tvb, pinfo, root)
  return true
end

stt:register_heuristic("udp", heuristic)
stt:register_heuristic("tcp", heuristic)
pcall(function() stt:register_heuristic("ws", heuristic) end)
