import ALSA
package import LibAV
package import Media
package import TestSignal
import V4L2

/// What is published: a device, files and addresses that libavformat opens, or the built-in test signal.
package enum Input: Sendable {
    case testSignal(SignalSettings)
    case parts([PlaylistPart])
    case camera(CameraInput)
    case microphone(MicrophoneInput)

    /// `test:` is the test signal, with its options behind it; `v4l2:/dev/video0` a camera, `alsa:hw:0` any PCM of alsa-lib's.
    /// - Parameters:
    ///   - names: one, or several files and addresses, of which one follows the other.
    ///   - options: for devices only, but for waiting.
    /// - Throws: `.invalidOption`, naming it; what a playlist cannot be read for.
    package init(_ names: [String], _ options: DeviceOptions = DeviceOptions()) throws(MediaError) {
        let name = names.first ?? ""
        let devices = ["v4l2:", "alsa:", "test:"]
        if names.count > 1, let device = names.first(where: { name in devices.contains(where: name.hasPrefix) }) {
            throw MediaError(.invalidOption, object: device, what: "only files and addresses follow each other", remedy: "publish it by itself")
        }
        if name.hasPrefix("v4l2:") {
            self = .camera(try CameraInput(String(name.dropFirst(5)), options))
        } else if name.hasPrefix("alsa:") {
            self = .microphone(try MicrophoneInput(String(name.dropFirst(5)), options))
        } else {
            if let option = options.first(of: \.all) { throw Self.misplaced(option, name, "devices: v4l2:DEVICE and alsa:PCM") }
            let parts = name.hasPrefix("test:") ? [] : try PlaylistPart.parts(of: names)
            if options.waits, !parts.contains(where: \.isRemote) { throw Self.misplaced("--wait", name, "devices and addresses") }
            self = parts.isEmpty ? .testSignal(try SignalSettings(options: name.dropFirst(5))) : .parts(parts)
        }
    }

    fileprivate static func misplaced(_ option: String, _ name: String, _ owners: String) -> MediaError {
        MediaError(.invalidOption, object: name, what: "\(option) is for \(owners)")
    }
}

/// What a user may ask of a device, as written; what it means depends on the device.
package struct DeviceOptions: Sendable {
    package var size: String?
    package var rate: String?
    package var format: String?
    package var controls: [(name: String, value: String)] = []
    package var channels: Int?
    package var period: Int?
    package var buffer: Int?
    package var waits = false

    package init() {}

    fileprivate var camera: [(String, Bool)] { [("--size", size != nil), ("--control", !controls.isEmpty)] }
    fileprivate var microphone: [(String, Bool)] {
        [("--channels", channels != nil), ("--period", period != nil), ("--buffer", buffer != nil)]
    }
    fileprivate var all: [(String, Bool)] { camera + microphone + [("--rate", rate != nil), ("--format", format != nil)] }

    fileprivate func first(of options: KeyPath<DeviceOptions, [(String, Bool)]>) -> String? { self[keyPath: options].first { $0.1 }?.0 }
}

/// `v4l2:/dev/video0`
package struct CameraInput: Sendable {
    let settings: CameraSettings

    init(_ device: String, _ options: DeviceOptions) throws(MediaError) {
        var settings = CameraSettings(device: device.isEmpty ? "/dev/video0" : device)
        if let option = options.first(of: \.microphone) { throw Input.misplaced(option, "v4l2:\(device)", "sound: alsa:PCM") }
        if let text = options.size {
            guard let size = PictureSize(text) else {
                throw MediaError(.invalidOption, object: "--size \(text)", what: "not a size", remedy: "such as 1280x720")
            }
            settings.size = size
        }
        if let text = options.rate {
            guard let rate = Ratio(rate: text) else {
                throw MediaError(.invalidOption, object: "--rate \(text)", what: "not a rate", remedy: "such as 30, 29.97 or 30000/1001")
            }
            settings.rate = rate
        }
        settings.format = options.format
        settings.controls = options.controls
        settings.waits = options.waits
        self.settings = settings
    }
}

/// `alsa:hw:0`
package struct MicrophoneInput: Sendable {
    let settings: CaptureSettings

    init(_ device: String, _ options: DeviceOptions) throws(MediaError) {
        var settings = CaptureSettings(device: device.isEmpty ? "default" : device)
        if let option = options.first(of: \.camera) { throw Input.misplaced(option, "alsa:\(device)", "cameras: v4l2:DEVICE") }
        if let text = options.rate {
            guard let rate = UInt32(text), 1...10_000_000 ~= rate else {
                throw MediaError(.invalidOption, object: "--rate \(text)", what: "not a rate in Hz", remedy: "such as 48000")
            }
            settings.rate = rate
        }
        settings.channels = try Self.count(options.channels, "--channels", 1...512).map(UInt32.init)
        settings.period = try Self.count(options.period, "--period", 1...1 << 20).map(UInt.init)
        settings.buffer = try Self.count(options.buffer, "--buffer", 2...1 << 24).map(UInt.init)
        settings.format = options.format
        settings.waits = options.waits
        self.settings = settings
    }

    private static func count(_ value: Int?, _ name: String, _ range: ClosedRange<Int>) throws(MediaError) -> Int? {
        if let value, !(range ~= value) {
            throw MediaError(.invalidOption, object: "\(name) \(value)", what: "it is \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}

extension Ratio {
    /// `30`, `29.97`, `30000/1001`; nil for what is none, or not above zero.
    init?(rate text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let numerator = Int32(parts[0]), let denominator = Int32(parts[1]), numerator > 0, denominator > 0 {
            self.init(numerator, denominator)
        } else if let value = Double(text), value >= 0.001, value <= 100_000 {
            self.init(Int32((value * 1000).rounded()), 1000)
        } else {
            return nil
        }
    }
}
