import CV4L2
import Glibc
public import Media

/// A knob of a camera: `brightness`, 0 to 255, stands at 128.
public struct CameraControl: Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        case number, switching, menu, button
        /// Text, or what else has no number.
        case other
    }

    let id: UInt32
    /// In lower case, words joined by `_`.
    public let name: String
    public let kind: Kind
    public let range: ClosedRange<Int64>
    public let step: UInt64
    public let usual: Int64
    /// Cannot be set, now or ever.
    public let isFixed: Bool
    public let menu: [(value: Int64, name: String)]
    /// Nil where it has none.
    public let value: Int64?
    let isWide: Bool

    /// `brightness = 128 (0 to 255, default 128)`
    public var description: String {
        let state = value.map { " = \(text($0))" } ?? ""
        let fixed = isFixed ? ", cannot be set now" : ""
        return switch kind {
        case .number:
            "\(name)\(state) (\(range.lowerBound) to \(range.upperBound)\(step > 1 ? " in steps of \(step)" : ""), default \(usual)\(fixed))"
        case .switching: "\(name)\(state) (on or off, default \(text(usual))\(fixed))"
        case .menu: "\(name)\(state) (\(menu.map(\.name).joined(separator: ", ")); default \(text(usual))\(fixed))"
        case .button: "\(name) (press it with \(name)=1\(fixed))"
        case .other: "\(name)\(state) (not a number\(fixed))"
        }
    }

    private func text(_ value: Int64) -> String {
        switch kind {
        case .switching: value == 0 ? "off" : "on"
        case .menu: menu.first { $0.value == value }?.name ?? "\(value)"
        default: "\(value)"
        }
    }

    /// - Returns: nil where a word does not mean anything here.
    func number(_ word: String) -> Int64? {
        let word = word.lowercased()
        let number = Int64(word) ?? (word.hasPrefix("0x") ? Int64(word.dropFirst(2), radix: 16) : nil)
        switch kind {
        case .number: return number.flatMap { range ~= $0 ? $0 : nil }
        case .switching: return ["on": 1, "true": 1, "1": 1, "off": 0, "false": 0, "0": 0][word]
        case .menu: return menu.first { $0.name.lowercased() == word || $0.value == number }?.value
        case .button: return 1
        case .other: return nil
        }
    }
}

extension CameraControl {
    /// All that a device has, in the driver's order.
    /// - Throws: `.notFound`, `.permissionDenied`, `.cannotOpen`.
    public static func all(of path: String) throws(MediaError) -> [CameraControl] { try VideoDevice(path).controls() }

    /// Sets some, also while another program takes pictures.
    /// - Throws: `.invalidOption`, saying what can be set; else as `all(of:)`.
    public static func set(_ values: [(name: String, value: String)], on path: String) throws(MediaError) {
        try VideoDevice(path).set(values)
    }

    fileprivate init?(_ query: v4l2_query_ext_ctrl, on device: borrowing VideoDevice) {
        guard query.flags & UInt32(V4L2_CTRL_FLAG_DISABLED) == 0, query.type != V4L2_CTRL_TYPE_CTRL_CLASS.rawValue else { return nil }
        id = query.id
        let letters = VideoDevice.text(query.name).lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }
        name = String(letters).split(separator: "_").joined(separator: "_")
        kind =
            switch query.type {
            case V4L2_CTRL_TYPE_INTEGER.rawValue, V4L2_CTRL_TYPE_INTEGER64.rawValue, V4L2_CTRL_TYPE_BITMASK.rawValue,
                V4L2_CTRL_TYPE_U8.rawValue where query.elems <= 1, V4L2_CTRL_TYPE_U16.rawValue where query.elems <= 1:
                .number
            case V4L2_CTRL_TYPE_BOOLEAN.rawValue: .switching
            case V4L2_CTRL_TYPE_MENU.rawValue, V4L2_CTRL_TYPE_INTEGER_MENU.rawValue: .menu
            case V4L2_CTRL_TYPE_BUTTON.rawValue: .button
            default: .other
            }
        // A stranger's numbers: the bits of a mask may look negative.
        range = min(query.minimum, query.maximum)...max(query.minimum, query.maximum)
        step = query.step
        usual = query.default_value
        isFixed = query.flags & UInt32(V4L2_CTRL_FLAG_READ_ONLY | V4L2_CTRL_FLAG_GRABBED | V4L2_CTRL_FLAG_INACTIVE) != 0
        isWide = query.type == V4L2_CTRL_TYPE_INTEGER64.rawValue
        menu = kind == .menu ? Self.menu(query, device.descriptor) : []
        var current: Int64 = 0
        let isReadable = kind != .button && kind != .other && query.flags & UInt32(V4L2_CTRL_FLAG_WRITE_ONLY) == 0
        let hasValue = isReadable && cv4l2_get_control(device.descriptor, query.id, &current, isWide ? 1 : 0) == 0
        // All 32 bits of a mask may be set.
        if query.type == V4L2_CTRL_TYPE_BITMASK.rawValue { current = Int64(UInt32(truncatingIfNeeded: current)) }
        value = hasValue ? current : nil
    }

    private static func menu(_ query: v4l2_query_ext_ctrl, _ descriptor: CInt) -> [(value: Int64, name: String)] {
        let isInteger = query.type == V4L2_CTRL_TYPE_INTEGER_MENU.rawValue
        var items: [(value: Int64, name: String)] = []
        for index in max(query.minimum, 0)...max(query.minimum, 0, min(query.maximum, 255)) {
            var name = [CChar](repeating: 0, count: 33)
            var number: Int64 = 0
            guard cv4l2_menu_item(descriptor, query.id, UInt32(index), isInteger ? 1 : 0, &name, name.count, &number) == 0 else { continue }
            items.append((index, isInteger ? "\(number)" : String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)))
        }
        return items
    }
}

extension VideoDevice {
    func controls() -> [CameraControl] {
        var found: [CameraControl] = []
        var query = v4l2_query_ext_ctrl()
        query.id = cv4l2_next_control()
        while found.count < 1024, call(cv4l2_query_ext_ctrl(), &query) == 0 {
            if let control = CameraControl(query, on: self) { found.append(control) }
            query.id |= cv4l2_next_control()
        }
        return found
    }

    /// In order: some can be set only after others.
    func set(_ values: [(name: String, value: String)]) throws(MediaError) {
        for (name, word) in values {
            // Anew each time: one control may let another be set.
            let all = controls()
            guard let control = all.first(where: { $0.name == name.lowercased() }) else {
                let names = all.map(\.name).joined(separator: ", ")
                throw MediaError(.invalidOption, object: path, what: "no control \(name)", remedy: names.isEmpty ? "it has none" : "it has \(names)")
            }
            guard let value = control.number(word) else {
                throw MediaError(.invalidOption, object: path, what: "\(name) cannot be \(word)", remedy: "it is \(control)")
            }
            let error = cv4l2_set_control(descriptor, control.id, value, control.isWide ? 1 : 0)
            guard error == 0 else {
                throw V4L2Failure.error(error, .invalidOption, path, "\(name) cannot be set to \(word)")
            }
        }
    }
}
