import ArgumentParser
import Service

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Give a network's stream to players and browsers on this machine, by HTTP.",
        discussion: """
            /stream.ts is the stream (MPEG-TS), /audio its sound as it is (MP3, AAC, Ogg), /stream.mjpeg and /snapshot.jpg \
            its pictures as JPEG, made only while somebody asks; / is a page. A client that is slower than the stream is \
            dropped. Whoever reaches the address may see it all: it is this machine's alone unless told otherwise.

            EXAMPLES
              ipn serve /tmp/cam                            and: mpv http://127.0.0.1:8080/stream.ts
              ipn serve /tmp/cam --listen 127.0.0.1:9000    and: curl -o now.jpg http://127.0.0.1:9000/snapshot.jpg
              ipn serve /tmp/cam --listen 0.0.0.0:8080      everybody in the local network
            """)

    @Argument(help: ArgumentHelp("The network.", valueName: "network"), completion: .file())
    var path: String
    @Option(help: "Where to listen; port 0 takes one that is free.")
    var listen = ListenArgument(text: "127.0.0.1:8080")
    @OptionGroup var consumer: ConsumerArguments
    @OptionGroup var supervision: SupervisionArguments

    func run() throws {
        let stop = try StopSignal()
        let job = ConsumeJob(from: path, settings: consumer.settings, stop: stop, meter: supervision.meter("serve"))
        _ = try job.run(ServeSink(listen.address), description: "ipn serve \(listen.text)")
    }
}

/// `127.0.0.1:8080`.
struct ListenArgument: ExpressibleByArgument {
    let address: ListenAddress
    var text: String { address.text }

    init(text: String) { address = ListenAddress(text)! }

    init?(argument: String) {
        guard let address = ListenAddress(argument) else { return nil }
        self.address = address
    }

    var defaultValueDescription: String { text }
}
