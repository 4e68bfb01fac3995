# `make setup` installs everything into .venv, which all other targets use.
#
# With ROS sourced, .venv uses that ROS and its numpy and OpenCV; pip may add packages, but must
# not replace these. Without ROS, .venv gets ROS 2 Jazzy as wheels.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq

ifdef ROS_DISTRO
PYTHONS := python3 /usr/bin/python3
FITS := import ensurepip, rclpy, numpy, cv2, yaml
NEEDED := with ROS $(ROS_DISTRO) sourced: a Python with venv, rclpy, numpy, cv2 and yaml \
	(apt install python3-venv python3-opencv); or unset ROS_DISTRO
VENV_FLAGS := --system-site-packages
EXTRAS := bag,test
else
PYTHONS := python3.12 python3.11 python3.10 python3
FITS := import ensurepip, sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
NEEDED := Python 3.10 to 3.12 with venv (apt install python3-venv); to choose one: \
	make setup PYTHON=/path/to/python3
EXTRAS := bag,test,ros
endif

PYTHON = $(shell for python in $(PYTHONS); do \
	$$python -c '$(FITS)' 2> /dev/null && echo $$python && break; done)
STAMP := $(VENV)/.setup-$(or $(ROS_DISTRO),wheels)

.PHONY: setup demo test soak lint docs clean

setup: $(STAMP)

# The constraints pin OpenCV to Debian's version, which no wheel has: a requirement that would
# install a second cv2 over the system's fails instead. On Humble they also select an ONNX Runtime
# of 2022; the newer one requires numpy 1.21.6 but runs with Humble's 1.21.5.
$(STAMP): Makefile setup.py setup.cfg
	@test -n "$(PYTHON)" || { echo "make setup needs, $(NEEDED)" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version), about two minutes"
	@$(PYTHON) -m venv --clear $(VENV_FLAGS) $(VENV)
ifdef ROS_DISTRO
	@$(BIN)/python -c 'import cv2, numpy, yaml; print( \
		f"numpy=={numpy.__version__}", f"PyYAML=={yaml.__version__}", \
		*(f"opencv-{kind}=={cv2.__version__}" for kind in ("python", "python-headless", \
		"contrib-python", "contrib-python-headless")), sep="\n")' > $(VENV)/constraints.txt
	@$(PIP) --constraint $(VENV)/constraints.txt --editable '.[$(EXTRAS)]'
ifeq ($(ROS_DISTRO),humble)
	@$(PIP) --no-deps --upgrade onnxruntime
endif
else
	@$(PIP) --editable '.[$(EXTRAS)]'
endif
	@cd $(VENV) && mkdir -p lib/seg_ros share/seg_ros share/ament_index/resource_index/packages \
		&& ln -s ../../bin/seg_ros ../../bin/segmentation_node ../../bin/sim_camera lib/seg_ros \
		&& ln -s ../../../package.xml ../../../launch ../../../config share/seg_ros \
		&& ln -s ../../../../../resource/seg_ros share/ament_index/resource_index/packages
	@touch $@

demo: setup
	$(BIN)/seg_ros demo

test: setup
	$(BIN)/python -m pytest -n 2

# Runs the node for an hour (or SECONDS=N) with valid and hostile messages, then its parts on
# random input. A ROS domain of its own separates it from other nodes and tests.
soak: setup
	ROS_DOMAIN_ID=$(or $(ROS_DOMAIN_ID),100) $(BIN)/python test/robustness/soak.py \
		--seconds $(or $(SECONDS),3600) --seed $(or $(SEED),1)
	SEG_ROS_FUZZ_SECONDS=60 SEG_ROS_FUZZ_SEED=$(or $(SEED),1) \
		$(BIN)/python -m pytest test/robustness

lint: setup
	$(BIN)/ruff check
	$(BIN)/mypy

docs: setup
	$(BIN)/python -m seg_ros.docs
	@$(BIN)/python -c 'import mkdocs' 2> /dev/null || $(PIP) --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) site build install log demo *.egg-info .mypy_cache .pytest_cache .ruff_cache
