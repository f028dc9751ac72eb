import Media

/// A neighbour's messages in any order, some lost, some twice, some changed: what the gate lets through follows its rules, and where
/// one may begin lies in what was there.
func fuzzGate(_ script: inout Script) {
    var publications = [UInt64(1), 2].map { Publication(streams: streams, epoch: $0) }
    var gate = StreamGate()
    var entries = EntryPoints()
    var wasLost = false
    var sequence: UInt64 = 0
    while !script.isAtEnd {
        let who = script.below(2)
        var message = next(of: &publications[who], &script)
        let fate = script.below(8)
        if fate == 0 {
            wasLost = true
            continue
        }
        if fate == 1 { message[script.below(128)] = script.byte() }
        if fate == 2 { gate.beginAnew() }
        sequence += 1
        let span = message.span.bytes
        entries.note(span, sender: 7, sequence: sequence)
        require(entries.points.allSatisfy { $0.description <= $0.key && $0.key <= sequence }, "an entry point that was never sent")
        require(zip(entries.points, entries.points.dropFirst()).allSatisfy { $0.key < $1.key }, "entry points out of order")
        let begin = entries.point(for: .last, now: 0)
        require(begin.map { entries.points.contains($0) } ?? entries.points.isEmpty, "an entry point of nowhere")
        guard let verdict = try? gate.receive(span) else { continue }
        switch verdict {
        case .deliver(let packet, let payload):
            require(gate.streams.indices.contains(packet.stream), "a packet of no stream")
            require(payload.upperBound <= message.count, "a payload outside its message")
            // Where it is told that something is missing, a picture can be decoded.
            require(!packet.isDiscontinuity || !gate.streams[packet.stream].isVideo || packet.isKey || !wasLost, "a broken picture")
        case .newDescription(let described): require(described == gate.streams && gate.epoch != 0, "another description")
        case .end: require(gate.streams.isEmpty && gate.epoch == 0, "an end that is none")
        case .drop: break
        }
    }
}

/// A description changed in a few places: what is read of it can be written, and read again as the same.
func fuzzDescription(_ script: inout Script) {
    var publication = Publication(streams: streams, epoch: 7)
    var message = filled(publication.descriptionSize) { try publication.writeDescription(into: $0) }
    while !script.isAtEnd {
        let place = Int(script.word() % UInt64(message.count))
        withUnsafeBytes(of: script.value(near: UInt64(message[place]))) { word in
            for (index, byte) in word.prefix(1 << script.below(4)).enumerated() where place + index < message.count { message[place + index] = byte }
        }
    }
    let span = message.span.bytes
    guard let (header, payload) = try? MediaMessage.decode(span), header.kind == .description,
        let read = try? MediaMessage.decodeStreams(span.extracting(payload))
    else { return }
    var again = Publication(streams: read, epoch: 7)
    let written = filled(again.descriptionSize) { try again.writeDescription(into: $0) }
    let copy = written.span.bytes
    guard let (_, range) = try? MediaMessage.decode(copy), let second = try? MediaMessage.decodeStreams(copy.extracting(range)) else {
        return require(false, "what was read cannot be read again")
    }
    require(second == read, "read again it is another")
    // What people are shown of it.
    require(!read.map(\.description).joined().unicodeScalars.contains { $0.properties.generalCategory == .control }, "a control character")
}

private func next(of publication: inout Publication, _ script: inout Script) -> [UInt8] {
    switch script.below(6) {
    case 0: return filled(publication.descriptionSize) { try publication.writeDescription(into: $0) }
    case 1: return filled(publication.endSize) { try publication.writeEnd(into: $0) }
    case 2:
        publication.noteLost(stream: script.below(3))
        fallthrough
    default:
        var packet = CodedPacket(stream: script.below(2), pts: Int64(script.byte()), dts: nil)
        packet.isKey = script.below(3) == 0
        packet.captureTime = script.below(2) == 0 ? nil : Int64(bitPattern: script.value(near: 0))
        let payload = [UInt8](repeating: 5, count: script.below(64))
        return filled(publication.size(payload: payload.count)) { try publication.write(packet, payload.span.bytes, into: $0) }
    }
}
