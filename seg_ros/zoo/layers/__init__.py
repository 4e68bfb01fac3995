"""Parts of networks written so that every engine runs them: fixed shapes, plain operators."""
