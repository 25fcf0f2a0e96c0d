#!/usr/bin/python3
VERSION = "v0.0.0+k3s0"
