"""SavedModels that take raw strings, and the client that asks them.

Names are imported on first use: the client needs neither TensorFlow nor Keras.

    contract: what an export promises to those who call it.
    message_classes: protocol buffers from a description.
    export: from a model to a SavedModel, and its check.
    client: asks a model server, or an export in this process.
    bulk: labels files of any size.
    show: a page that shows what a model says of a text.
"""

from dlfa_tf import first_use

_PUBLIC = {
    "CallerError": "client.errors",
    "Client": "client",
    "ServerError": "client.errors",
    "ServingError": "client.errors",
    "check_export": "export.lint",
    "check_server_config": "export.server_config",
    "export_saved_model": "export.export_module",
}

__all__ = list(_PUBLIC)

__getattr__, __dir__ = first_use.public_names(__name__, _PUBLIC)
