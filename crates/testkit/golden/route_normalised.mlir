module @route_normalised attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x9xf32>, %arg1: tensor<6x9xf32>, %arg2: tensor<6xf32>) -> (tensor<5x2xf32>) {
    %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<5x9xf32>, tensor<6x9xf32>) -> tensor<5x6xf32>
    %1 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %2 = stablehlo.reduce(%0 init: %1) applies stablehlo.maximum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %4 = stablehlo.subtract %0, %3 : tensor<5x6xf32>
    %5 = stablehlo.exponential %4 : tensor<5x6xf32>
    %6 = stablehlo.constant dense<0.0> : tensor<f32>
    %7 = stablehlo.reduce(%5 init: %6) applies stablehlo.add across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %9 = stablehlo.divide %5, %8 : tensor<5x6xf32>
    %10 = stablehlo.broadcast_in_dim %arg2, dims = [1] : (tensor<6xf32>) -> tensor<5x6xf32>
    %11 = stablehlo.add %9, %10 : tensor<5x6xf32>
    %12 = stablehlo.iota dim = 1 : tensor<5x6xf32>
    %13 = stablehlo.constant dense<6.0> : tensor<f32>
    %14 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %15 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %16 = stablehlo.reduce(%11 init: %15) applies stablehlo.maximum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %18 = stablehlo.compare EQ, %11, %17, FLOAT : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xi1>
    %19 = stablehlo.broadcast_in_dim %13, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %20 = stablehlo.select %18, %12, %19 : tensor<5x6xi1>, tensor<5x6xf32>
    %21 = stablehlo.constant dense<0x7F800000> : tensor<f32>
    %22 = stablehlo.reduce(%20 init: %21) applies stablehlo.minimum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %24 = stablehlo.compare EQ, %12, %23, FLOAT : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xi1>
    %25 = stablehlo.broadcast_in_dim %14, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %26 = stablehlo.select %24, %25, %11 : tensor<5x6xi1>, tensor<5x6xf32>
    %27 = stablehlo.convert %24 : (tensor<5x6xi1>) -> tensor<5x6xf32>
    %28 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %29 = stablehlo.reduce(%26 init: %28) applies stablehlo.maximum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %30 = stablehlo.broadcast_in_dim %29, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %31 = stablehlo.compare EQ, %26, %30, FLOAT : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xi1>
    %32 = stablehlo.select %31, %12, %19 : tensor<5x6xi1>, tensor<5x6xf32>
    %33 = stablehlo.constant dense<0x7F800000> : tensor<f32>
    %34 = stablehlo.reduce(%32 init: %33) applies stablehlo.minimum across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [0] : (tensor<5xf32>) -> tensor<5x6xf32>
    %36 = stablehlo.compare EQ, %12, %35, FLOAT : (tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<5x6xi1>
    %37 = stablehlo.convert %36 : (tensor<5x6xi1>) -> tensor<5x6xf32>
    %38 = stablehlo.multiply %9, %27 : tensor<5x6xf32>
    %39 = stablehlo.constant dense<0.0> : tensor<f32>
    %40 = stablehlo.reduce(%38 init: %39) applies stablehlo.add across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %41 = stablehlo.multiply %9, %37 : tensor<5x6xf32>
    %42 = stablehlo.constant dense<0.0> : tensor<f32>
    %43 = stablehlo.reduce(%41 init: %42) applies stablehlo.add across dimensions = [1] : (tensor<5x6xf32>, tensor<f32>) -> tensor<5xf32>
    %44 = stablehlo.reshape %40 : (tensor<5xf32>) -> tensor<5x1xf32>
    %45 = stablehlo.reshape %43 : (tensor<5xf32>) -> tensor<5x1xf32>
    %46 = stablehlo.concatenate %44, %45, dim = 1 : (tensor<5x1xf32>, tensor<5x1xf32>) -> tensor<5x2xf32>
    %47 = stablehlo.constant dense<0.0> : tensor<f32>
    %48 = stablehlo.reduce(%46 init: %47) applies stablehlo.add across dimensions = [1] : (tensor<5x2xf32>, tensor<f32>) -> tensor<5xf32>
    %49 = stablehlo.broadcast_in_dim %48, dims = [0] : (tensor<5xf32>) -> tensor<5x2xf32>
    %50 = stablehlo.divide %46, %49 : tensor<5x2xf32>
    return %50 : tensor<5x2xf32>
  }
}
