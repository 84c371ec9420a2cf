"""Any Keras program behind one interface: its inputs, model, loss, outputs and task."""
