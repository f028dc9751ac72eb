public import Media

/// What is asked of a camera; nil is left to it.
public struct CameraSettings: Sendable {
    /// `/dev/video0`
    public var device: String
    public var size: PictureSize?
    /// Pictures a second.
    public var rate: Ratio?
    /// As drivers or FFmpeg call it: `yuyv`, `mjpeg`; nil or "best" for the first of ours that it has at this size and rate.
    public var format: String?
    /// Set before the first picture.
    public var controls: [(name: String, value: String)] = []
    /// Wait for it to come back when it was unplugged, instead of ending the stream.
    public var waits = false

    public init(device: String) { self.device = device }
}
