/**
 * Congestion controllers by name.
 *
 * @module
 */

import { Bbr } from "./bbr.ts";
import type { CongestionController, CongestionControlName } from "./controller.ts";
import { Cubic } from "./cubic.ts";
import { NewReno } from "./new_reno.ts";

/**
 * A new controller for a path.
 *
 * @param name The algorithm.
 * @param mtu Bytes of a full packet.
 */
export function controllerFor(name: CongestionControlName, mtu: number): CongestionController {
  switch (name) {
    case "cubic":
      return new Cubic(mtu);
    case "newreno":
      return new NewReno(mtu);
    case "bbr":
      return new Bbr(mtu);
  }
}
