import java.io.FileOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

import com.sun.management.OperatingSystemMXBean;

import com.espertech.esper.common.client.EPCompiled;
import com.espertech.esper.common.client.EventBean;
import com.espertech.esper.common.client.configuration.Configuration;
import com.espertech.esper.compiler.client.CompilerArguments;
import com.espertech.esper.compiler.client.EPCompilerProvider;
import com.espertech.esper.runtime.client.EPRuntime;
import com.espertech.esper.runtime.client.EPRuntimeProvider;
import com.espertech.esper.runtime.client.EPStatement;
import com.espertech.esper.runtime.client.UpdateListener;

/**
 * Esper over the same readings: how often each statement opens for each patient, and the seconds that took.
 *
 * Arguments: EPL, readings, where the counts go, number of patients. Readings are rows of patient (int), kind
 * (int), milliseconds (long), value (double), little-endian, in order of time. They are sent twice, to a
 * runtime of its own each time: once for the compiler of the virtual machine, once for the clock.
 *
 * Plain old Java, so that the compiler that Esper brings with it (Janino) can run it from its source.
 */
public class EsperPeer {

    /** One event. Its class is public, and so are its getters: Esper's compiled code calls them. */
    public static class Reading {
        private final int patient;
        private final int kind;
        private final double value;

        public Reading(int patient, int kind, double value) {
            this.patient = patient;
            this.kind = kind;
            this.value = value;
        }

        public int getPatient() {
            return patient;
        }

        public int getKind() {
            return kind;
        }

        public double getValue() {
            return value;
        }
    }

    /** Which patients a statement has a finding open for, and how often it opened. */
    public static class Openings implements UpdateListener {
        private final boolean[] open;
        private final int[] count;

        public Openings(int patients) {
            open = new boolean[patients];
            count = new int[patients];
        }

        public void update(EventBean[] now, EventBean[] before, EPStatement statement, EPRuntime runtime) {
            if (now == null) {
                return;
            }
            for (int i = 0; i < now.length; i++) {
                int patient = ((Integer) now[i].get("patient")).intValue();
                if (Boolean.TRUE.equals(now[i].get("opens"))) {
                    if (!open[patient]) {
                        open[patient] = true;
                        count[patient]++;
                    }
                } else if (Boolean.TRUE.equals(now[i].get("clears"))) {
                    open[patient] = false;
                }
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        // Esper looks for the classes of its events there; these were compiled just now.
        Thread.currentThread().setContextClassLoader(EsperPeer.class.getClassLoader());
        String epl = new String(Files.readAllBytes(Paths.get(arguments[0])), StandardCharsets.UTF_8);
        Configuration configuration = new Configuration();
        configuration.getCommon().addEventType("Reading", Reading.class);
        configuration.getRuntime().getThreading().setInternalTimerEnabled(false);
        EPCompiled compiled =
            EPCompilerProvider.getCompiler().compile(epl, new CompilerArguments(configuration));
        ByteBuffer readings = ByteBuffer.wrap(Files.readAllBytes(Paths.get(arguments[1])));
        readings.order(ByteOrder.LITTLE_ENDIAN);
        int patients = Integer.parseInt(arguments[3]);
        send(configuration, compiled, readings, patients, "first", null);
        send(configuration, compiled, readings, patients, "timed", arguments[2]);
    }

    private static void send(
            Configuration configuration, EPCompiled compiled, ByteBuffer readings, int patients, String name,
            String out) throws Exception {
        EPRuntime runtime = EPRuntimeProvider.getRuntime(name, configuration);
        readings.rewind();
        runtime.getEventService().advanceTime(readings.getLong(8));
        EPStatement[] statements = runtime.getDeploymentService().deploy(compiled).getStatements();
        Openings[] openings = new Openings[statements.length];
        for (int i = 0; i < statements.length; i++) {
            openings[i] = new Openings(patients);
            statements[i].addListener(openings[i]);
        }
        long processorBegun = processor();
        long begun = System.nanoTime();
        sendAll(runtime, readings);
        long ended = System.nanoTime();
        if (out != null) {
            System.out.println((ended - begun) / 1e9 + " " + (processor() - processorBegun) / 1e9);
            write(openings, patients, out);
        }
        runtime.destroy();
    }

    /** Nanoseconds of processor time so far, those of the collector and the compiler included. */
    private static long processor() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static void sendAll(EPRuntime runtime, ByteBuffer readings) {
        long now = 0;
        while (readings.hasRemaining()) {
            int patient = readings.getInt();
            int kind = readings.getInt();
            long at = readings.getLong();
            if (at > now) {
                now = at;
                runtime.getEventService().advanceTime(now);
            }
            runtime.getEventService().sendEventBean(
                new Reading(patient, kind, readings.getDouble()), "Reading");
        }
    }

    private static void write(Openings[] openings, int patients, String out) throws Exception {
        ByteBuffer counts = ByteBuffer.allocate(4 * openings.length * patients);
        counts.order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < openings.length; i++) {
            for (int j = 0; j < patients; j++) {
                counts.putInt(openings[i].count[j]);
            }
        }
        counts.flip();
        FileChannel channel = new FileOutputStream(out).getChannel();
        channel.write(counts);
        channel.close();
    }
}
