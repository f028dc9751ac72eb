import ArgumentParser
import Service

struct StreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "Send a network's stream on: HLS, RTMP, SRT, RTP, Icecast, ...",
        discussion: """
            EXAMPLES
              ipn stream /tmp/cam out/live.m3u8
              ipn stream /tmp/cam rtmp://127.0.0.1/live/cam
              ipn stream /tmp/cam 'srt://127.0.0.1:9000'
              ipn stream /tmp/cam icecast://source:hackme@127.0.0.1:8000/cam.ogg
            """)

    @Argument(help: "The network.", completion: .file())
    var path: String
    @Argument(help: "Where to: an address, or a playlist .m3u8 whose folder is made.")
    var address: String
    @Option(help: "The container, where the address does not tell.")
    var format: String?
    @Option(name: .customLong("option"), help: "A muxer's or a protocol's option: key=value.")
    var options: [LibraryOption] = []
    @OptionGroup var consumer: ConsumerArguments
    @OptionGroup var supervision: SupervisionArguments

    func run() throws {
        let stop = try StopSignal()
        let job = ConsumeJob(from: path, settings: consumer.settings, stop: stop, meter: supervision.meter("stream"))
        let sink = FileSink(
            url: address, format: format, options: options.map { ($0.key, $0.value) }, overwrite: true, stop: stop.flag)
        let progress = try job.run(sink, description: "ipn stream \(LoggedAddress(address))")
        if progress.packets == 0 { throw supervision.nothingCame(path, "sent on") }
    }
}
