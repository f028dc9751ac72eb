/// A box of ISO/IEC 14496-12: opaque octets, or more boxes where we look inside.
struct Box {
    enum Content {
        case octets([UInt8])
        case boxes([Box])
    }

    let type: String
    var content: Content

    init(_ type: String, _ octets: [UInt8]) {
        self.type = type
        content = .octets(octets)
    }

    init(_ type: String, boxes: [Box]) {
        self.type = type
        content = .boxes(boxes)
    }

    private static let containers: Set = ["moov", "trak", "edts", "mdia", "minf", "stbl", "mvex", "moof", "traf"]

    /// All boxes of `octets`, which have to fill it.
    static func parse(_ octets: ArraySlice<UInt8>, depth: Int = 0) throws(MP4Flaw) -> [Box] {
        // No file that means well is nested deeper: moov, trak, mdia, minf, stbl.
        guard depth < 8 else { throw MP4Flaw(what: "boxes in boxes without end") }
        var boxes: [Box] = []
        var rest = octets
        while !rest.isEmpty {
            var reader = OctetReader(rest)
            var size = Int(try reader.number(4))
            let type = try reader.type()
            if size == 1 { size = Int(clamping: try reader.number(8)) }
            if size == 0 { size = rest.count }
            guard size >= reader.position, size <= rest.count else { throw MP4Flaw(what: "\(type) is longer than what it lies in") }
            let payload = rest[(rest.startIndex + reader.position)..<(rest.startIndex + size)]
            boxes.append(
                containers.contains(type) ? Box(type, boxes: try parse(payload, depth: depth + 1)) : Box(type, Array(payload)))
            rest = rest[(rest.startIndex + size)...]
        }
        return boxes
    }

    var boxes: [Box] {
        get { if case .boxes(let boxes) = content { boxes } else { [] } }
        set { content = .boxes(newValue) }
    }

    var octets: [UInt8] {
        get { if case .octets(let octets) = content { octets } else { [] } }
        set { content = .octets(newValue) }
    }

    /// The first box inside of that type.
    subscript(type: String) -> Box? {
        get { boxes.first { $0.type == type } }
        set {
            let position = boxes.firstIndex { $0.type == type }
            switch (position, newValue) {
            case (let position?, let box?): boxes[position] = box
            case (let position?, nil): boxes.remove(at: position)
            case (nil, let box?): boxes.append(box)
            case (nil, nil): break
            }
        }
    }

    /// As it stands in a file.
    var serialized: [UInt8] {
        var payload: [UInt8]
        switch content {
        case .octets(let octets): payload = octets
        case .boxes(let boxes): payload = boxes.flatMap(\.serialized)
        }
        var writer = OctetWriter()
        writer.append(UInt64(payload.count + 8), 4)
        writer.octets += Array(type.utf8)
        return writer.octets + payload
    }
}

/// What is wrong with an MP4 file.
struct MP4Flaw: Error {
    let what: String
}
