import "/web/shell/language.js";
import { live } from "/web/shell/live.js";
import { showNotices } from "/web/pages/live/notices.js";
import { showParts } from "/web/pages/live/parts.js";
import { showRefusals, showRefused } from "/web/pages/live/refused.js";
import { onChoice, showLatest, showProducts, showRevenue } from "/web/pages/live/sales.js";
import { showFreshness, showLag, showQueries, showRate } from "/web/pages/live/streams.js";

const PANELS = [
  ["notices", showNotices],
  ["rate", showRate],
  ["freshness", showFreshness],
  ["refused", showRefused],
  ["lag", showLag],
  ["revenue", showRevenue],
  ["products", showProducts],
  ["latest", showLatest],
  ["streams", showQueries],
  ["refusals", showRefusals],
  ["parts", showParts],
];

onChoice(live(PANELS));
