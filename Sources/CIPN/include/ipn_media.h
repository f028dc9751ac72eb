/*
 * Media messages: what stands in front of the payload of every message of a media network, and how the
 * streams of a publication are described.
 *
 * One publisher at a time puts one *publication* on a network: a set of streams that share a clock. A
 * message is
 *
 *     +--------------------------+ 0
 *     | struct ipn_media_header  |
 *     +--------------------------+ header_size (128 in version 1; always a multiple of 64)
 *     | payload                  |
 *     +--------------------------+ header_size + payload_size
 *
 * All integers are in the byte order of the machine: a bus ends at its host. Words named `reserved` are
 * zero when written; a reader of version 1 refuses a message where they are not, so that they can be
 * given a meaning later without being misread. A reader accepts a larger header_size or record size than
 * it knows, and skips the rest; it refuses another version.
 *
 * A reader copies the header out of shared memory once and checks the copy: the memory is a neighbour's,
 * who may change it at any time.
 */
#ifndef IPN_MEDIA_H
#define IPN_MEDIA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define IPN_MEDIA_ASSERT static_assert
#else
#define IPN_MEDIA_ASSERT _Static_assert
#endif

enum {
    IPN_MEDIA_MAGIC = 0x4d4e5049, /* "IPNM" in memory on a little-endian machine */
    IPN_MEDIA_VERSION = 1,
    IPN_MEDIA_NO_STREAM = 0xffff, /* ipn_media_header.stream of a message about the whole publication */
    IPN_MEDIA_MAX_STREAMS = 64,
    IPN_MEDIA_MAX_EXTRADATA = 1 << 20, /* octets per stream */
};

/* ipn_media_header.type */
enum {
    /* Payload: struct ipn_media_publication and ALL streams of the publication in one message, so that
     * whoever got it can start. Sent first, again whenever a node joins, and as often as the publisher
     * likes; within an epoch it never changes. */
    IPN_MEDIA_DESCRIPTION = 1,
    /* Payload: one packet as libavcodec's decoders take it, without their padding. */
    IPN_MEDIA_PACKET = 2,
    /* Payload: one picture; planes one after another, rows without padding, as the codec "rawvideo". */
    IPN_MEDIA_PICTURE = 3,
    /* Payload: interleaved samples, as the codecs "pcm_*". */
    IPN_MEDIA_SOUND = 4,
    /* No payload: the publication is over. A publisher that dies sends none. */
    IPN_MEDIA_END = 5,
};

/* ipn_media_header.flags; other bits are zero */
enum {
    IPN_MEDIA_KEY = 1u << 0,           /* decoding may start here */
    IPN_MEDIA_DISCONTINUITY = 1u << 1, /* what was right before it is missing, or its times jump */
    IPN_MEDIA_CORRUPT = 1u << 2,       /* the source says that the contents are damaged */
    IPN_MEDIA_FLAGS = (1u << 3) - 1,
};

/* "Unknown" in pts, dts, start_time and capture_time_ns. The value is AV_NOPTS_VALUE. */
#define IPN_MEDIA_NO_TIME INT64_MIN

struct ipn_media_header {
    uint32_t magic;           /* IPN_MEDIA_MAGIC */
    uint16_t version;         /* IPN_MEDIA_VERSION */
    uint16_t header_size;     /* octets until the payload */
    uint16_t type;            /* IPN_MEDIA_DESCRIPTION ... */
    uint16_t stream;          /* index into the description, or IPN_MEDIA_NO_STREAM */
    uint32_t flags;           /* IPN_MEDIA_KEY | ... */
    uint64_t epoch;           /* one publication of one publisher; random, not 0 */
    uint64_t sequence;        /* counts the messages of this epoch, from 0: a gap is a loss */
    uint64_t stream_sequence; /* counts this stream's messages in this epoch, from 0: whose loss it was */
    int64_t pts;              /* in time bases, or IPN_MEDIA_NO_TIME */
    int64_t dts;              /* in time bases, or IPN_MEDIA_NO_TIME */
    int64_t duration;         /* in time bases; 0: unknown */
    int32_t time_base_num;    /* seconds per tick = num/den, both > 0; 0/0 without a stream */
    int32_t time_base_den;
    int64_t capture_time_ns;  /* CLOCK_MONOTONIC, or IPN_MEDIA_NO_TIME */
    uint64_t payload_size;    /* octets */
    uint32_t lost;            /* units (packets, pictures, periods) the source itself lost right before */
    uint32_t reserved0;
    uint64_t reserved[4];
};

IPN_MEDIA_ASSERT(sizeof(struct ipn_media_header) == 128, "a multiple of 64");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_header, epoch) == 16, "layout");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_header, pts) == 40, "layout");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_header, time_base_num) == 64, "layout");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_header, payload_size) == 80, "layout");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_header, reserved) == 96, "layout");

/*
 * The payload of IPN_MEDIA_DESCRIPTION:
 *
 *     struct ipn_media_publication
 *     stream_count times:
 *         struct ipn_media_stream      (record_size octets, a multiple of 64)
 *         extradata                    (extradata_size octets, then zeros up to a multiple of 64)
 */
struct ipn_media_publication {
    uint32_t stream_count; /* 1 ... IPN_MEDIA_MAX_STREAMS */
    uint32_t record_size;  /* octets of each struct ipn_media_stream */
    uint64_t reserved[7];
};

IPN_MEDIA_ASSERT(sizeof(struct ipn_media_publication) == 64, "a multiple of 64");

/* ipn_media_stream.media */
enum {
    IPN_MEDIA_VIDEO = 1,
    IPN_MEDIA_AUDIO = 2,
    IPN_MEDIA_SUBTITLE = 3,
};

/*
 * Everything that libavcodec needs to decode a stream, and libavformat to write it into another
 * container. Names, not numbers, where FFmpeg's numbers differ between its versions; the colour and field
 * order numbers are those of ISO/IEC 23091 and FFmpeg's public ABI, which do not. Texts are UTF-8, end in
 * NUL, hold no control characters, and are empty if unknown.
 */
struct ipn_media_stream {
    uint16_t index;          /* of this stream: 0 ... stream_count - 1, in order */
    uint16_t media;          /* IPN_MEDIA_VIDEO ... */
    uint32_t extradata_size; /* octets after the record; at most IPN_MEDIA_MAX_EXTRADATA */
    uint32_t codec_tag;      /* the container's four characters, or 0 */
    uint32_t disposition;    /* FFmpeg's AV_DISPOSITION_* bits */
    int32_t time_base_num;   /* > 0 */
    int32_t time_base_den;   /* > 0 */
    int64_t start_time;      /* of the whole stream, in time bases, or IPN_MEDIA_NO_TIME */
    int64_t bit_rate;        /* bit/s, or 0 */
    int32_t profile;         /* FFmpeg's number for this codec; -99: unknown */
    int32_t level;           /* likewise */
    int32_t bits_per_coded_sample;
    int32_t bits_per_raw_sample;

    /* video; 0 otherwise */
    int32_t width; /* pixels */
    int32_t height;
    int32_t sample_aspect_num; /* 0/1: unknown */
    int32_t sample_aspect_den;
    int32_t frame_rate_num; /* average; 0/1: unknown */
    int32_t frame_rate_den;
    int32_t real_frame_rate_num; /* lowest that represents all times exactly; 0/1: unknown */
    int32_t real_frame_rate_den;
    int32_t field_order; /* enum AVFieldOrder; 0: unknown, 1: progressive */
    int32_t color_range;
    int32_t color_primaries;
    int32_t color_transfer;
    int32_t color_space;
    int32_t chroma_location;
    int32_t video_delay; /* frames by which B-frames delay the output */

    /* audio; 0 otherwise */
    int32_t sample_rate; /* Hz */
    int32_t channels;
    int32_t frame_size; /* samples of a channel per packet, or 0 */
    int32_t block_align;
    int32_t initial_padding; /* samples of a channel that the encoder put in front */
    int32_t trailing_padding;
    int32_t seek_preroll;

    char codec[32];          /* "h264": the name of FFmpeg's codec descriptor */
    char format[32];         /* "yuv420p" or "fltp": FFmpeg's pixel or sample format */
    char channel_layout[64]; /* "5.1(side)" */
    char language[16];       /* "eng": ISO 639-2 */
    char title[128];
    uint8_t reserved[96];
};

IPN_MEDIA_ASSERT(sizeof(struct ipn_media_stream) == 512, "a multiple of 64");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_stream, start_time) == 24, "layout");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_stream, width) == 56, "layout");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_stream, sample_rate) == 116, "layout");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_stream, codec) == 144, "layout");
IPN_MEDIA_ASSERT(offsetof(struct ipn_media_stream, reserved) == 416, "layout");

#undef IPN_MEDIA_ASSERT
#ifdef __cplusplus
}
#endif

#endif
