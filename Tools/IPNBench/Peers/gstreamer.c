/* GStreamer's shmsink and shmsrc. Buffers come from the sink's own allocator, so that it need not copy them. See gst-inspect-1.0 shmsink. */
#define IPN_BENCH_A_PEER
#include "peer.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <unistd.h>

struct end {
  size_t size;
  int spins;
  GstElement *pipeline, *element; /* appsrc, or appsink */
  GstAllocator *allocator;
  GstAllocationParams parameters;
  GstBuffer *buffer;
  GstMapInfo map;
};

static int prepare(void) {
  gst_init(NULL, NULL);
  return 0;
}

static GstElement *launch(const char *description) {
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch(description, &error);
  return pipeline ? pipeline : peer_null(peer_fail("gst_parse_launch: %s", error->message));
}

static void *open_writer(const struct peer_setting *setting) {
  struct end *end = calloc(1, sizeof *end);
  end->size = setting->size;
  char description[1024];
  snprintf(description, sizeof description,
           "appsrc name=end block=true max-bytes=%zu caps=application/x-bench ! "
           "shmsink socket-path=%s.gst shm-size=%d wait-for-connection=%s sync=false",
           setting->size * 2 + 4096, setting->path, 256 << 20, setting->readers > 0 ? "true" : "false");
  if (!(end->pipeline = launch(description))) return NULL;
  end->element = gst_bin_get_by_name(GST_BIN(end->pipeline), "end");
  if (gst_element_set_state(end->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    return peer_null(peer_fail("shmsink does not start"));
  usleep(50000);
  GstPad *pad = gst_pad_get_peer(gst_element_get_static_pad(end->element, "src"));
  GstQuery *query = gst_query_new_allocation(gst_caps_from_string("application/x-bench"), FALSE);
  if (!gst_pad_query(pad, query) || gst_query_get_n_allocation_params(query) < 1) return peer_null(peer_fail("shmsink offers no allocator"));
  gst_query_parse_nth_allocation_param(query, 0, &end->allocator, &end->parameters);
  return end;
}

static void *lend(void *writer) {
  struct end *end = writer;
  end->buffer = gst_buffer_new_allocate(end->allocator, end->size, &end->parameters);
  if (!end->buffer || !gst_buffer_map(end->buffer, &end->map, GST_MAP_WRITE)) return peer_null(peer_fail("no buffer"));
  return end->map.data;
}

static int send_lent(void *writer) {
  struct end *end = writer;
  gst_buffer_unmap(end->buffer, &end->map);
  return gst_app_src_push_buffer(GST_APP_SRC(end->element), end->buffer) == GST_FLOW_OK ? 0 : peer_fail("gst_app_src_push_buffer");
}

static void *open_reader(const struct peer_setting *setting) {
  struct end *end = calloc(1, sizeof *end);
  end->size = setting->size;
  end->spins = setting->spins;
  char description[1024], path[512];
  snprintf(path, sizeof path, "%s.gst", setting->path);
  while (access(path, F_OK) < 0) usleep(1000);
  snprintf(description, sizeof description,
           "shmsrc socket-path=%s.gst is-live=true do-timestamp=false ! appsink name=end sync=false max-buffers=4", setting->path);
  for (;;) {
    if (!(end->pipeline = launch(description))) return NULL;
    if (gst_element_set_state(end->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) break;
    /* The sink does not listen yet. */
    gst_element_set_state(end->pipeline, GST_STATE_NULL);
    gst_object_unref(end->pipeline);
    usleep(5000);
  }
  end->element = gst_bin_get_by_name(GST_BIN(end->pipeline), "end");
  return end;
}

static int receive(void *reader, peer_take *take, void *context) {
  struct end *end = reader;
  unsigned looks = 0;
  for (int more = 1; more;) {
    GstSample *sample = gst_app_sink_try_pull_sample(GST_APP_SINK(end->element), end->spins ? 0 : GST_CLOCK_TIME_NONE);
    if (!sample) {
      if (!end->spins || gst_app_sink_is_eos(GST_APP_SINK(end->element))) return peer_fail("the stream has ended");
      peer_relax(&looks);
      continue;
    }
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    GstMapInfo map;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return peer_fail("gst_buffer_map");
    if (map.size < end->size) return peer_fail("a buffer of %zu bytes", (size_t)map.size);
    more = take(context, map.data);
    gst_buffer_unmap(buffer, &map);
    gst_sample_unref(sample);
  }
  return 0;
}

static void close_reader(void *reader) { gst_element_set_state(((struct end *)reader)->pipeline, GST_STATE_NULL); }

const struct peer peer = {
    .name = "GStreamer shm", .release = PEER_RELEASE,
    .settings = "shmsink with buffers of its own allocator (256 MiB, no copy) and sync=false; shmsrc to appsink, 4 buffers",
    .prepare = prepare, .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader, .receive = receive,
    .close_reader = close_reader, .failure = peer_failure,
};
