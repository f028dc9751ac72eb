/* A peer whose programs are written in Python: a module NAME_peer.py beside this file, with
 *
 *     class Writer: __init__(path, size, readers); lend() -> address or buffer; send()
 *     class Reader: __init__(path, size, readers, index, spins); receive(take); close()
 *
 * where take(address or buffer) hands a message over and says whether to go on. Defined before: PEER_MODULE. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define IPN_BENCH_A_PEER
#include "peer.h"

struct end {
  PyObject *object;
  PyObject *take_function;
  peer_take *take;
  void *context;
};

static PyObject *module;

/* What Python has to say, on one line. */
static int python_failed(void) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  PyObject *text = value ? PyObject_Repr(value) : NULL;
  const char *words = text ? PyUnicode_AsUTF8(text) : NULL;
  peer_fail("%s", words ? words : "Python failed");
  for (char *end = peer_reason; *end; end++)
    if (*end == '\n') *end = ' ';
  return -1;
}

static int prepare(void) {
  if (module) return 0;
  PyConfig configuration;
  PyConfig_InitPythonConfig(&configuration);
  configuration.install_signal_handlers = 0;
  PyConfig_SetBytesString(&configuration, &configuration.program_name, PEER_PYTHON);
  PyStatus status = Py_InitializeFromConfig(&configuration);
  PyConfig_Clear(&configuration);
  if (PyStatus_Exception(status)) return peer_fail("Python does not start: %s", status.err_msg);
  PyObject *folder = PyUnicode_FromString(PEER_FOLDER);
  PySys_SetObject("dont_write_bytecode", Py_True);
  PyList_Insert(PySys_GetObject("path"), 0, folder);
  module = PyImport_ImportModule(PEER_MODULE);
  if (!module) return python_failed();
  /* Whoever calls takes the lock; between calls the peer's own threads may have it. */
  PyEval_SaveThread();
  return 0;
}

/* An address as it is, or where a buffer's bytes are. A buffer that Python takes for constant is written too: nobody has seen it
 * yet, and it saves the peer a copy that its users in other languages do not have. */
static void *address_of(PyObject *place) {
  if (PyLong_Check(place)) return PyLong_AsVoidPtr(place);
  Py_buffer view;
  if (PyObject_GetBuffer(place, &view, PyBUF_SIMPLE) < 0) return NULL;
  void *address = view.buf;
  PyBuffer_Release(&view);
  return address;
}

static PyObject *take_message(PyObject *capsule, PyObject *message) {
  struct end *end = PyCapsule_GetPointer(capsule, NULL);
  void *bytes = address_of(message);
  if (!bytes) return NULL;
  int more;
  Py_BEGIN_ALLOW_THREADS
  more = end->take(end->context, bytes);
  Py_END_ALLOW_THREADS
  return PyBool_FromLong(more);
}

static PyMethodDef take_method = {"take", take_message, METH_O, NULL};

static void *open_end(const char *class, PyObject *arguments) {
  struct end *end = calloc(1, sizeof *end);
  PyObject *type = PyObject_GetAttrString(module, class);
  end->object = type ? PyObject_CallObject(type, arguments) : NULL;
  if (!end->object) return peer_null(python_failed());
  PyObject *capsule = PyCapsule_New(end, NULL, NULL);
  end->take_function = PyCFunction_New(&take_method, capsule);
  return end;
}

static void *open_writer(const struct peer_setting *setting) {
  PyGILState_STATE lock = PyGILState_Ensure();
  void *end = open_end("Writer", Py_BuildValue("(sni)", setting->path, (Py_ssize_t)setting->size, setting->readers));
  PyGILState_Release(lock);
  return end;
}

static void *open_reader(const struct peer_setting *setting) {
  PyGILState_STATE lock = PyGILState_Ensure();
  void *end = open_end("Reader", Py_BuildValue("(sniiO)", setting->path, (Py_ssize_t)setting->size, setting->readers, setting->index,
                                               setting->spins ? Py_True : Py_False));
  PyGILState_Release(lock);
  return end;
}

static void *lend(void *writer) {
  PyGILState_STATE lock = PyGILState_Ensure();
  PyObject *place = PyObject_CallMethod(((struct end *)writer)->object, "lend", NULL);
  void *address = place ? address_of(place) : NULL;
  if (!address) python_failed();
  Py_XDECREF(place);
  PyGILState_Release(lock);
  return address;
}

static int send_lent(void *writer) {
  PyGILState_STATE lock = PyGILState_Ensure();
  PyObject *result = PyObject_CallMethod(((struct end *)writer)->object, "send", NULL);
  int status = result ? 0 : python_failed();
  Py_XDECREF(result);
  PyGILState_Release(lock);
  return status;
}

static int receive(void *reader, peer_take *take, void *context) {
  struct end *end = reader;
  end->take = take;
  end->context = context;
  PyGILState_STATE lock = PyGILState_Ensure();
  PyObject *result = PyObject_CallMethod(end->object, "receive", "O", end->take_function);
  int status = result ? 0 : python_failed();
  Py_XDECREF(result);
  PyGILState_Release(lock);
  return status;
}

static void close_reader(void *reader) {
  PyGILState_STATE lock = PyGILState_Ensure();
  Py_XDECREF(PyObject_CallMethod(((struct end *)reader)->object, "close", NULL));
  PyErr_Clear();
  PyGILState_Release(lock);
}
