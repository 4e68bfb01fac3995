"""The machine with a GPU that the tests of TensorRT run on."""

from fakes.gpu import driver_folder, driver_library, fake_gpu  # noqa: F401
