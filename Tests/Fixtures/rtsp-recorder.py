#!/usr/bin/python3
"""An RTSP server that is sent to (RECORD), and writes what comes as Matroska: rtsp-recorder.py PORT FILE"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
factory.set_launch(
    "( rtph264depay name=depay0 ! h264parse ! matroskamux streamable=true name=m ! filesink sync=false buffer-mode=unbuffered location=" + sys.argv[2]
    + " rtpmp4gdepay name=depay1 ! aacparse ! m. )")
server.get_mount_points().add_factory("/cam", factory)
server.attach(None)
GLib.MainLoop().run()
