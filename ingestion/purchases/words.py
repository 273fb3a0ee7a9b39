"""What columns of purchases are called, by shops, tills and accounts: in English, Russian, Kazakh and German.

The names of a field come in the order of how well they fit: of two columns that might be a field the earlier name wins.
"""

from __future__ import annotations

import re

from ingestion.files.currencies import currency_of
from ingestion.purchases.mapping import PurchaseField

NAMES: dict[PurchaseField, str] = {
    "purchase_id": """
        purchase id; order id; order number; order no; order; amazon order id; receipt number; receipt id; receipt no;
        receipt; invoiceno; invoice number; invoice id; invoice no; invoice; transaction id; transaction no;
        transaction;
        sale id; bill no; bill number; document number; document no; check number; name;
        номер заказа; заказ; № заказа; id заказа; код заказа; номер чека; чек; № чека; номер документа;
        документ; накладная;
        номер накладной; счет; номер счета; счёт; реализация; номер продажи; номер; номер операции; операция; №;
        тапсырыс нөмірі; тапсырыс; тапсырыс №; чек нөмірі; құжат нөмірі; шот нөмірі;
        belegnr; belegnummer; beleg nr; beleg; bestellnummer; bestellnr; bestell nr; bestellung; auftragsnummer;
        auftrag;
        rechnungsnummer; rechnungsnr; rechnung; bonnummer; bon nr; auftragsnr; vorgangsnummer
    """,
    "product_id": """
        product id; sku; lineitem sku; item sku; product sku; seller sku; merchant sku; product code; item code;
        article;
        item number; item id; stockcode; stock code; product; asin; barcode; ean; gtin; upc; variant sku; item;
        артикул; код товара; товар код; артикул товара; sku товара; код номенклатуры; штрихкод; штрих код; код;
        номенклатура код; артикул продавца; идентификатор товара; товар; номенклатура;
        тауар коды; артикулы; штрихкоды; тауар; код тауара;
        artikel; artikelnummer; artikelnr; artikel nr; art nr; artnr; produktnummer; produkt; warennummer
    """,
    "description": """
        description; product name; item name; lineitem name; product title; item title; title; item description;
        product;
        item; name; details; наименование; название товара; наименование товара; товар; номенклатура; описание;
        название;
        наименование номенклатуры; название товара в kaspi магазине; позиция; назначение платежа; атауы;
        тауар атауы; тауардың атауы; сипаттама;
        bezeichnung; artikelbezeichnung; beschreibung; artikelname; produktname; produktbezeichnung; name
    """,
    "quantity": """
        quantity; qty; lineitem quantity; item quantity; quantity purchased; quantity sold; pieces; units; pcs; count;
        item qty; quantity minus refund;
        количество; кол во; кол; колво; количество товара; шт; число; количество шт; кол во шт;
        саны; мөлшері; дана; menge; anzahl; stück; stückzahl; stk
    """,
    "purchased_at": """
        purchased at; purchase date; order date; created at; date created; order date time; invoicedate; invoice date;
        transaction date; sale date; date time; datetime; timestamp; date; sold at; sold on; purchase time; time;
        paid at; posting date; дата заказа; дата и время; дата продажи; дата создания; дата создания заказа;
        дата чека;
        дата документа; дата операции; дата поступления заказа; дата оформления; дата; период; время;
        күні; сату күні; тапсырыс күні; тапсырыс берілген күн; мерзімі;
        datum; bestelldatum; belegdatum; rechnungsdatum; auftragsdatum; kaufdatum; verkaufsdatum; zeitpunkt
    """,
    "unit_price": """
        unit price; unitprice; lineitem price; item price; price per unit; item cost; price; unit cost; sale price;
        selling price; price each; cost; rate;
        цена за единицу; цена за шт; цена продажи; цена; цена товара; цена реализации; розничная цена;
        цена со скидкой;
        бағасы; баға; бірлік бағасы; einzelpreis; stückpreis; preis; verkaufspreis; vk preis; preis je stück
    """,
    "line_amount": """
        line total; line amount; item total; amount; sum; item subtotal; total price; product sales; net sales;
        gross sales;
        order line total; total amount; total; сумма; сумма позиции; стоимость; сумма продажи; сумма со скидкой;
        итого;
        выручка; сумма заказа; сумма операции; сумма продаж; всего;
        сомасы; сома; жалпы сома; құны; betrag; summe; gesamtpreis; gesamt; umsatz; gesamtbetrag; zeilensumme
    """,
    "customer_id": """
        customer id; customerid; client id; buyer id; customer; customer number; customer code;
        customer reference id; buyer;
        email; customer email; billing email; buyer email; card number; loyalty card; phone; client; card;
        код клиента; клиент; покупатель; id клиента; код покупателя; контрагент; номер карты; карта; дисконтная карта;
        телефон; телефон клиента; телефон покупателя; клиент коды; сатып алушы; тұтынушы;
        kunde; kundennummer; kundennr; kunden nr; kunden id; käufer
    """,
    "currency_code": """
        currency; currency code; order currency; валюта; код валюты; валюта документа; валютасы; währung; waehrung
    """,
    "seller_id": """
        seller id; store id; shop id; merchant id; seller; store; shop; store name; shop name; merchant; branch;
        location;
        магазин; торговая точка; точка продаж; филиал; продавец; склад; подразделение; бин; бин продавца; касса;
        дүкен; сатушы; бөлімше; filiale; verkäufer; geschäft; laden; händler; standort; markt
    """,
    "status": """
        status; order status; financial status; payment status; state; fulfillment status; статус;
        статус заказа; состояние;
        состояние заказа; статус документа; статус оплаты; мәртебесі; күйі; zustand; bestellstatus; auftragsstatus;
        event type; cancelled; отменён; отменен
    """,
}  # fmt: skip
CLOCKS = ("time", "время", "время продажи", "время чека", "уақыты", "uhrzeit", "zeit", "order time", "transaction time")
CANCELLED = re.compile(
    r"\W*(?:wc.)?(cancel+ed.*|void(ed)?|failed|declined|expired|refused|rejected|draft|checkout-draft|trash|отмен\w*.*|"
    r"аннулир\w*.*|отказ\w*.*|не оплачен.*|бас тартыл\w*.*|жойыл\w*.*|storniert|storno|abgebrochen|fehlgeschlagen|"
    r"annulliert)\W*",
    re.IGNORECASE,
)
RETURNED = re.compile(
    r"\W*(?:wc.)?(refund\w*.*|return\w*.*|partially.refunded|возвр\w*.*|қайтар\w*.*|erstattet|retour\w*)\W*",
    re.IGNORECASE,
)


def folded(name: str) -> str:
    """A column's name for comparison: without capitals, marks, units and currencies behind it."""
    name = name.strip().casefold().replace("ё", "е") if name else ""
    name = re.sub(r"\((.*?)\)|\[(.*?)\]", " ", name)
    name = name.split(",")[0] if "," in name else name
    words = re.sub(r"[_\-./:;#*\"'?]+", " ", name).split()
    if len(words) > 1 and currency_of(words[-1]) is not None:
        words.pop()
    return " ".join(words)


RANKS: dict[PurchaseField, dict[str, int]] = {
    field: {folded(name): rank for rank, name in reversed(list(enumerate(text.replace("\n", " ").split(";"))))}
    for field, text in NAMES.items()
}
KNOWN = frozenset(name for ranks in RANKS.values() for name in ranks)
