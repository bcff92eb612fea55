module @attention_window attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x9x2x6xf32>, %arg1: tensor<2x9x1x6xf32>, %arg2: tensor<2x9x1x6xf32>, %arg3: tensor<2x9xi32>, %arg4: tensor<2x9x2x6xf32>) -> (tensor<2x9x2x6xf32>, tensor<2x9x2x6xf32>, tensor<2x9x1x6xf32>, tensor<2x9x1x6xf32>) {
    %0 = stablehlo.reshape %arg0 : (tensor<2x9x2x6xf32>) -> tensor<2x9x1x2x6xf32>
    %1 = stablehlo.transpose %0, dims = [0, 2, 3, 1, 4] : (tensor<2x9x1x2x6xf32>) -> tensor<2x1x2x9x6xf32>
    %2 = stablehlo.transpose %arg1, dims = [0, 2, 1, 3] : (tensor<2x9x1x6xf32>) -> tensor<2x1x9x6xf32>
    %3 = stablehlo.transpose %arg2, dims = [0, 2, 1, 3] : (tensor<2x9x1x6xf32>) -> tensor<2x1x9x6xf32>
    %4 = stablehlo.iota dim = 0 : tensor<9x9xi32>
    %5 = stablehlo.constant dense<0> : tensor<i32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<i32>) -> tensor<9x9xi32>
    %7 = stablehlo.add %4, %6 : tensor<9x9xi32>
    %8 = stablehlo.iota dim = 1 : tensor<9x9xi32>
    %9 = stablehlo.add %8, %6 : tensor<9x9xi32>
    %10 = stablehlo.compare LE, %9, %7, SIGNED : (tensor<9x9xi32>, tensor<9x9xi32>) -> tensor<9x9xi1>
    %11 = stablehlo.subtract %7, %9 : tensor<9x9xi32>
    %12 = stablehlo.constant dense<3> : tensor<i32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [] : (tensor<i32>) -> tensor<9x9xi32>
    %14 = stablehlo.compare LT, %11, %13, SIGNED : (tensor<9x9xi32>, tensor<9x9xi32>) -> tensor<9x9xi1>
    %15 = stablehlo.and %10, %14 : tensor<9x9xi1>
    %16 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1] : (tensor<2x9xi32>) -> tensor<2x9x9xi32>
    %17 = stablehlo.broadcast_in_dim %arg3, dims = [0, 2] : (tensor<2x9xi32>) -> tensor<2x9x9xi32>
    %18 = stablehlo.compare EQ, %16, %17, SIGNED : (tensor<2x9x9xi32>, tensor<2x9x9xi32>) -> tensor<2x9x9xi1>
    %19 = stablehlo.broadcast_in_dim %15, dims = [1, 2] : (tensor<9x9xi1>) -> tensor<2x9x9xi1>
    %20 = stablehlo.and %18, %19 : tensor<2x9x9xi1>
    %21 = stablehlo.dot_general %1, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<2x1x2x9x6xf32>, tensor<2x1x9x6xf32>) -> tensor<2x1x2x9x9xf32>
    %22 = stablehlo.constant dense<0.4082483> : tensor<f32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [] : (tensor<f32>) -> tensor<2x1x2x9x9xf32>
    %24 = stablehlo.multiply %21, %23 : tensor<2x1x2x9x9xf32>
    %25 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %26 = stablehlo.broadcast_in_dim %20, dims = [0, 3, 4] : (tensor<2x9x9xi1>) -> tensor<2x1x2x9x9xi1>
    %27 = stablehlo.broadcast_in_dim %25, dims = [] : (tensor<f32>) -> tensor<2x1x2x9x9xf32>
    %28 = stablehlo.select %26, %24, %27 : tensor<2x1x2x9x9xi1>, tensor<2x1x2x9x9xf32>
    %29 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.maximum across dimensions = [4] : (tensor<2x1x2x9x9xf32>, tensor<f32>) -> tensor<2x1x2x9xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<2x1x2x9xf32>) -> tensor<2x1x2x9x9xf32>
    %32 = stablehlo.subtract %28, %31 : tensor<2x1x2x9x9xf32>
    %33 = stablehlo.exponential %32 : tensor<2x1x2x9x9xf32>
    %34 = stablehlo.constant dense<0.0> : tensor<f32>
    %35 = stablehlo.reduce(%33 init: %34) applies stablehlo.add across dimensions = [4] : (tensor<2x1x2x9x9xf32>, tensor<f32>) -> tensor<2x1x2x9xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [0, 1, 2, 3] : (tensor<2x1x2x9xf32>) -> tensor<2x1x2x9x9xf32>
    %37 = stablehlo.divide %33, %36 : tensor<2x1x2x9x9xf32>
    %38 = stablehlo.dot_general %37, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x1x2x9x9xf32>, tensor<2x1x9x6xf32>) -> tensor<2x1x2x9x6xf32>
    %39 = stablehlo.log %35 : tensor<2x1x2x9xf32>
    %40 = stablehlo.add %39, %30 : tensor<2x1x2x9xf32>
    %41 = stablehlo.reshape %40 : (tensor<2x1x2x9xf32>) -> tensor<2x2x9xf32>
    %42 = stablehlo.transpose %38, dims = [0, 3, 1, 2, 4] : (tensor<2x1x2x9x6xf32>) -> tensor<2x9x1x2x6xf32>
    %43 = stablehlo.reshape %42 : (tensor<2x9x1x2x6xf32>) -> tensor<2x9x2x6xf32>
    %44 = stablehlo.reshape %43 : (tensor<2x9x2x6xf32>) -> tensor<2x9x1x2x6xf32>
    %45 = stablehlo.transpose %44, dims = [0, 2, 3, 1, 4] : (tensor<2x9x1x2x6xf32>) -> tensor<2x1x2x9x6xf32>
    %46 = stablehlo.reshape %arg4 : (tensor<2x9x2x6xf32>) -> tensor<2x9x1x2x6xf32>
    %47 = stablehlo.transpose %46, dims = [0, 2, 3, 1, 4] : (tensor<2x9x1x2x6xf32>) -> tensor<2x1x2x9x6xf32>
    %48 = stablehlo.reshape %41 : (tensor<2x2x9xf32>) -> tensor<2x1x2x9xf32>
    %49 = stablehlo.multiply %47, %45 : tensor<2x1x2x9x6xf32>
    %50 = stablehlo.constant dense<0.0> : tensor<f32>
    %51 = stablehlo.reduce(%49 init: %50) applies stablehlo.add across dimensions = [4] : (tensor<2x1x2x9x6xf32>, tensor<f32>) -> tensor<2x1x2x9xf32>
    %52 = stablehlo.broadcast_in_dim %48, dims = [0, 1, 2, 3] : (tensor<2x1x2x9xf32>) -> tensor<2x1x2x9x9xf32>
    %53 = stablehlo.subtract %28, %52 : tensor<2x1x2x9x9xf32>
    %54 = stablehlo.exponential %53 : tensor<2x1x2x9x9xf32>
    %55 = stablehlo.dot_general %47, %3, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<2x1x2x9x6xf32>, tensor<2x1x9x6xf32>) -> tensor<2x1x2x9x9xf32>
    %56 = stablehlo.broadcast_in_dim %51, dims = [0, 1, 2, 3] : (tensor<2x1x2x9xf32>) -> tensor<2x1x2x9x9xf32>
    %57 = stablehlo.subtract %55, %56 : tensor<2x1x2x9x9xf32>
    %58 = stablehlo.multiply %54, %57 : tensor<2x1x2x9x9xf32>
    %59 = stablehlo.multiply %58, %23 : tensor<2x1x2x9x9xf32>
    %60 = stablehlo.dot_general %59, %2, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x1x2x9x9xf32>, tensor<2x1x9x6xf32>) -> tensor<2x1x2x9x6xf32>
    %61 = stablehlo.dot_general %59, %1, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<2x1x2x9x9xf32>, tensor<2x1x2x9x6xf32>) -> tensor<2x1x9x6xf32>
    %62 = stablehlo.dot_general %54, %47, batching_dims = [0, 1] x [0, 1], contracting_dims = [2, 3] x [2, 3], precision = [HIGHEST, HIGHEST] : (tensor<2x1x2x9x9xf32>, tensor<2x1x2x9x6xf32>) -> tensor<2x1x9x6xf32>
    %63 = stablehlo.transpose %60, dims = [0, 3, 1, 2, 4] : (tensor<2x1x2x9x6xf32>) -> tensor<2x9x1x2x6xf32>
    %64 = stablehlo.reshape %63 : (tensor<2x9x1x2x6xf32>) -> tensor<2x9x2x6xf32>
    %65 = stablehlo.transpose %61, dims = [0, 2, 1, 3] : (tensor<2x1x9x6xf32>) -> tensor<2x9x1x6xf32>
    %66 = stablehlo.transpose %62, dims = [0, 2, 1, 3] : (tensor<2x1x9x6xf32>) -> tensor<2x9x1x6xf32>
    return %43, %64, %65, %66 : tensor<2x9x2x6xf32>, tensor<2x9x2x6xf32>, tensor<2x9x1x6xf32>, tensor<2x9x1x6xf32>
  }
}
