import CV4L2
import Glibc
import Media

/// What a camera offers.
extension VideoDevice {
    /// The formats that it has, ours or not, in its order.
    func formats() -> [UInt32] {
        var found: [UInt32] = []
        var entry = v4l2_fmtdesc()
        entry.type = bufferType
        while found.count < 256, call(cv4l2_enum_fmt(), &entry) == 0 {
            if !found.contains(entry.pixelformat) { found.append(entry.pixelformat) }
            entry.index += 1
        }
        return found
    }

    /// Whether it has one of ours that a user who writes this means.
    func hasFormat(called word: String) -> Bool { formats().contains { PixelFormat.with(fourcc: $0)?.isCalled(word) == true } }

    /// Empty where the driver does not say.
    func sizes(_ format: UInt32) -> [SizeRange] {
        var found: [SizeRange] = []
        var entry = v4l2_frmsizeenum()
        entry.pixel_format = format
        while found.count < 256, call(cv4l2_enum_framesizes(), &entry) == 0 {
            guard entry.type == V4L2_FRMSIZE_TYPE_DISCRETE.rawValue else {
                let step = entry.stepwise
                return [
                    SizeRange(
                        width: step.min_width...max(step.min_width, step.max_width), height: step.min_height...max(step.min_height, step.max_height),
                        steps: (max(step.step_width, 1), max(step.step_height, 1)))
                ]
            }
            found.append(SizeRange(PictureSize(width: entry.discrete.width, height: entry.discrete.height)))
            entry.index += 1
        }
        return found
    }

    /// Empty where the driver does not say.
    func rates(_ format: UInt32, _ size: PictureSize) -> [RateRange] {
        var found: [RateRange] = []
        var entry = v4l2_frmivalenum()
        entry.pixel_format = format
        entry.width = size.width
        entry.height = size.height
        while found.count < 256, call(cv4l2_enum_frameintervals(), &entry) == 0 {
            guard entry.type == V4L2_FRMIVAL_TYPE_DISCRETE.rawValue else {
                // The longest interval is the lowest rate.
                return [RateRange(Ratio(interval: entry.stepwise.max), Ratio(interval: entry.stepwise.min))]
            }
            let rate = Ratio(interval: entry.discrete)
            found.append(RateRange(rate, rate))
            entry.index += 1
        }
        return found
    }

    /// What it would deliver now.
    func currentFormat() throws(MediaError) -> v4l2_pix_format {
        var format = v4l2_format()
        format.type = bufferType
        let error = call(cv4l2_g_fmt(), &format)
        guard error == 0 else { throw V4L2Failure.error(error, .unsupportedFormat, path, "has no format") }
        return cv4l2_pix(&format)
    }
}

/// Pixels.
public struct PictureSize: Sendable, Hashable, CustomStringConvertible {
    public var width: UInt32
    public var height: UInt32

    public init(width: UInt32, height: UInt32) {
        self.width = width
        self.height = height
    }

    /// `1280x720`
    public init?(_ text: String) {
        let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = UInt32(parts[0]), let height = UInt32(parts[1]), 1...65536 ~= width, 1...65536 ~= height
        else { return nil }
        self.init(width: width, height: height)
    }

    public var description: String { "\(width)x\(height)" }
}

/// One size, or all of a grid.
struct SizeRange: Sendable, CustomStringConvertible {
    var width: ClosedRange<UInt32>
    var height: ClosedRange<UInt32>
    var steps: (UInt32, UInt32) = (1, 1)

    func contains(_ size: PictureSize) -> Bool {
        width ~= size.width && height ~= size.height && (size.width - width.lowerBound) % steps.0 == 0
            && (size.height - height.lowerBound) % steps.1 == 0
    }

    var largest: PictureSize { PictureSize(width: width.upperBound, height: height.upperBound) }

    var description: String {
        let low = PictureSize(width: width.lowerBound, height: height.lowerBound)
        return low == largest ? "\(low)" : "\(low) to \(largest)" + (steps == (1, 1) ? "" : " in steps of \(steps.0)x\(steps.1)")
    }
}

extension SizeRange {
    init(_ size: PictureSize) {
        width = size.width...size.width
        height = size.height...size.height
    }
}

/// Pictures a second: one rate, or all between two.
struct RateRange: Sendable, CustomStringConvertible {
    var lowest: Ratio
    var highest: Ratio

    init(_ lowest: Ratio, _ highest: Ratio) {
        self.lowest = lowest
        self.highest = highest
    }

    /// Within a thousandth: 29.97 is 30000/1001.
    func contains(_ rate: Ratio) -> Bool { rate.value >= lowest.value * 0.999 && rate.value <= highest.value * 1.001 }

    var description: String { lowest == highest ? lowest.rateText : "\(lowest.rateText) to \(highest.rateText)" }
}

extension Ratio {
    init(interval: v4l2_fract) { self.init(Int32(clamping: interval.denominator), Int32(clamping: interval.numerator)) }

    /// `30`, `29.97`
    var rateText: String {
        let hundredths = Int((value * 100).rounded())
        return hundredths % 100 == 0 ? "\(hundredths / 100)" : "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
