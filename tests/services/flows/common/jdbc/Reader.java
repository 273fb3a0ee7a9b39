import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** What BI tools ask of JDBC, with the driver's default settings: a line for each, "name: value" or "name: FAILED why". */
public class Reader {
  interface Question {
    Object answer() throws Exception;
  }

  static void ask(String name, Question question) {
    try {
      System.out.println(name + ": " + question.answer());
    } catch (Throwable fault) {
      System.out.println(name + ": FAILED " + String.valueOf(fault).replace('\n', ' '));
    }
  }

  /** How many rows; the place of the connection is given back, as tools do. */
  static int count(ResultSet rows) throws Exception {
    int found = 0;
    try (rows) {
      while (rows.next()) found++;
    }
    return found;
  }

  public static void main(String[] arguments) throws Exception {
    Class.forName("com.clickhouse.jdbc.ClickHouseDriver");
    Properties login = new Properties();
    login.put("user", "reader");
    login.put("password", System.getenv("READER_PASSWORD"));
    try (Connection connection = DriverManager.getConnection(arguments[0], login)) {
      DatabaseMetaData about = connection.getMetaData();
      ask("version", about::getDriverVersion);
      ask("schemas", () -> {
        List<String> names = new ArrayList<>();
        try (ResultSet rows = about.getSchemas()) {
          while (rows.next()) names.add(rows.getString(1));
        }
        return names;
      });
      ask("tables of gold", () -> count(about.getTables(null, "gold", "%", new String[] {"TABLE", "VIEW"})));
      ask("all tables", () -> count(about.getTables(null, null, "%", null)));
      ask("columns of silver", () -> count(about.getColumns(null, "silver", "%", "%")));
      ask("columns of gold", () -> count(about.getColumns(null, "gold", "%", "%")));
      ask("columns without a remark", () -> {
        List<String> found = new ArrayList<>();
        for (String schema : new String[] {"silver", "gold", "ops"}) {
          try (ResultSet rows = about.getColumns(null, schema, "%", "%")) {
            while (rows.next()) {
              String remark = rows.getString("REMARKS");
              if (remark == null || remark.isBlank()) found.add(rows.getString("TABLE_NAME") + "." + rows.getString("COLUMN_NAME"));
            }
          }
        }
        return found;
      });
      ask("keys", () -> count(about.getPrimaryKeys(null, "silver", "purchase_lines")));
      ask("indexes", () -> count(about.getIndexInfo(null, "silver", "purchase_lines", false, false)));
      ask("foreign keys", () -> count(about.getImportedKeys(null, "silver", "purchase_lines")));
      ask("rows and seconds limited", () -> {
        try (Statement statement = connection.createStatement()) {
          statement.setMaxRows(200);
          statement.setQueryTimeout(30);
          // A driver stops at the first block that reaches the limit, which may be longer by a block.
          return count(statement.executeQuery("SELECT * FROM silver.purchase_lines")) <= 200 + 65_409;
        }
      });
      ask("types", () -> {
        try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery(
            "SELECT toDate32('2026-01-02'), toDateTime64('2026-01-02 03:04:05.678901', 6, 'UTC'), "
            + "toDecimal64(950.5, 4), true, toInt64(-3), NULL::Nullable(String), 'алма'")) {
          row.next();
          return row.getDate(1) + " | " + row.getTimestamp(2).toInstant() + " | " + row.getBigDecimal(3) + " | "
              + row.getBoolean(4) + " | " + row.getLong(5) + " | " + row.getString(6) + " | " + row.getString(7);
        }
      });
      ask("many rows", () -> count(connection.createStatement().executeQuery("SELECT number, toString(number) FROM numbers(100000)")));
      ask("prepared", () -> {
        try (PreparedStatement statement =
            connection.prepareStatement("SELECT count(*) FROM silver.purchase_lines WHERE seller_id = ? AND sold_on >= ?")) {
          statement.setString(1, "nobody");
          statement.setDate(2, Date.valueOf("2025-01-01"));
          try (ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getLong(1);
          }
        }
      });
      ask("correlated", () -> count(connection.createStatement().executeQuery(
          "SELECT seller_id, (SELECT max(sold_on) FROM gold.purchases_seller_daily AS d WHERE d.seller_id = s.seller_id) "
          + "FROM gold.top_sellers AS s LIMIT 3")) <= 3);
      ask("view with parameters", () -> {
        try (ResultSet rows = connection.createStatement().executeQuery(
            "SELECT * FROM lookup.procurement_company(tax_id = '1') LIMIT 1")) {
          return rows.getMetaData().getColumnCount();
        }
      });
      ask("written", () -> connection.createStatement().execute("INSERT INTO gold.purchases_seller_daily SELECT * FROM gold.purchases_seller_daily"));
    }
  }
}
