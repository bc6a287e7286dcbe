# SPDX-License-Identifier: Apache-2.0
"""Runs software that others wrote against the real server, and counts how it went."""
